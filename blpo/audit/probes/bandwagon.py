"""Probe: the text says how most people answered."""

from blpo.audit.probe import AuditContext, Probe, Question, has_single_label, top_label, with_sentence
from state.sample import Sample


def _changed(sample: Sample, context: AuditContext) -> Question:
    sentence = f"Most people gave this the label {top_label(context.task)}."
    return Question(with_sentence(sample, sentence, "bandwagon"))


PROBE = Probe("bandwagon", "The answer of others is no property of the image.", _changed, unfit=has_single_label)
