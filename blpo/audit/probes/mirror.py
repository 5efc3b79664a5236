"""Probe: left and right of the image are swapped."""

from blpo.audit.changed_image import mirrored
from blpo.audit.probe import AuditContext, Probe, changed_images
from state.sample import Sample


def _unfit(sample: Sample, context: AuditContext) -> str | None:
    return "a text may speak of writing or sides" if sample.text or sample.texts else None


PROBE = Probe(
    "mirror",
    "The image shows no writing and nothing with a left and a right, and no text speaks of sides.",
    changed_images(mirrored, "mirror"),
    unfit=_unfit,
)
