"""Probe: the image is stored as JPEG of quality 75."""

from blpo.audit.changed_image import as_jpeg
from blpo.audit.probe import AuditContext, Probe, Question, with_images
from state.sample import Sample


def _changed(sample: Sample, context: AuditContext) -> Question:
    return Question(with_images(sample, as_jpeg, "reencode"))


PROBE = Probe(
    "reencode",
    "A person sees no difference between the image and its JPEG of quality 75.",
    _changed,
)
