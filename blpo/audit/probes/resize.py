"""Probe: the image is a fifth smaller."""

from blpo.audit.changed_image import smaller
from blpo.audit.probe import AuditContext, Probe, Question, with_images
from state.sample import Sample


def _changed(sample: Sample, context: AuditContext) -> Question:
    return Question(with_images(sample, smaller, "resize"))


PROBE = Probe(
    "resize",
    "A person sees the same image at 80 % of its size.",
    _changed,
)
