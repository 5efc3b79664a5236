"""Probe: the image is stored as JPEG of quality 75."""

from blpo.audit.changed_image import as_jpeg
from blpo.audit.probe import Probe, changed_images

PROBE = Probe(
    "reencode",
    "A person sees no difference between the image and its JPEG of quality 75.",
    changed_images(as_jpeg, "reencode"),
)
