"""Probe: the image is a fifth smaller."""

from blpo.audit.changed_image import smaller
from blpo.audit.probe import Probe, changed_images

PROBE = Probe(
    "resize",
    "A person sees the same image at 80 % of its size.",
    changed_images(smaller, "resize"),
)
