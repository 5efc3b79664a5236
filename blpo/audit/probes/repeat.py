"""Probe: the same question is asked again."""

from blpo.audit.probe import AuditContext, Probe, Question
from state.sample import Sample


def _changed(sample: Sample, context: AuditContext) -> Question:
    return Question(sample, repeat=1)


PROBE = Probe("repeat", "The same question has the same answer.", _changed)
