"""Probe: the image is noisy, which must not make its rating better."""

from blpo.audit.changed_image import noisy
from blpo.audit.degradation import unfit_for_degradation
from blpo.audit.probe import Probe, changed_images

PROBE = Probe(
    "noise",
    "The rating is of quality: an image is not better with a clearly visible noise.",
    changed_images(noisy, "noise"),
    unfit=unfit_for_degradation,
    expects="not better",
)
