"""Probe: the judge prompt says the same in other words, written by the optimizer."""

from blpo.audit.probe import AuditContext, Probe, Question
from state.sample import Sample


def _changed(sample: Sample, context: AuditContext) -> Question:
    return Question(sample, judge_prompt=context.paraphrase)


def _unfit(sample: Sample, context: AuditContext) -> str | None:
    return None if context.paraphrase else "it needs an optimizer: audit the run directory of a search"


PROBE = Probe("paraphrase", "The optimizer's other words mean the same.", _changed, unfit=_unfit)
