"""Degraded images: a rating of quality must not become better."""

from blpo.audit.probe import AuditContext
from state.sample import Sample


def unfit_for_degradation(sample: Sample, context: AuditContext) -> str | None:
    """Return a reason unless the task has ratings with a known good end."""
    if context.task.kind != "ordinal" or context.task.higher_is is None:
        return "it needs ratings, and task.higher_is: better or worse"
    return None
