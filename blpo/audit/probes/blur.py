"""Probe: the image is blurred, which must not make its rating better."""

from blpo.audit.changed_image import blurred
from blpo.audit.degradation import unfit_for_degradation
from blpo.audit.probe import Probe, changed_images

PROBE = Probe(
    "blur",
    "The rating is of quality: an image is not better with a clearly visible blur.",
    changed_images(blurred, "blur"),
    unfit=unfit_for_degradation,
    expects="not better",
)
