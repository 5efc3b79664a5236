"""Probe: the image is noisy, which must not make its rating better."""

from blpo.audit.changed_image import noisy
from blpo.audit.degradation import degraded, unfit_for_degradation
from blpo.audit.probe import Probe

PROBE = Probe(
    "noise",
    "The rating is of quality: an image is not better with a clearly visible noise.",
    degraded(noisy, "noise"),
    unfit=unfit_for_degradation,
    expects="not better",
)
