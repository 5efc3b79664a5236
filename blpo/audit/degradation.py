"""Degraded images: a rating of quality must not become better."""

from collections.abc import Callable

from blpo.audit.probe import AuditContext, Question, with_images
from state.sample import Sample


def degraded(change: Callable[[bytes], bytes], name: str) -> Callable[[Sample, AuditContext], Question]:
    """Return the change of a probe that degrades all images of a sample."""
    return lambda sample, context: Question(with_images(sample, change, name))


def unfit_for_degradation(sample: Sample, context: AuditContext) -> str | None:
    """Return a reason unless the task has ratings with a known good end."""
    if context.task.kind != "ordinal" or context.task.higher_is is None:
        return "it needs ratings, and task.higher_is: better or worse"
    return None
