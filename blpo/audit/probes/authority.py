"""Probe: the text says how an expert answered."""

from blpo.audit.probe import AuditContext, Probe, Question, has_single_label, top_label, with_sentence
from state.sample import Sample


def _changed(sample: Sample, context: AuditContext) -> Question:
    sentence = f"A leading expert in this field gave this the label {top_label(context.task)}."
    return Question(with_sentence(sample, sentence, "authority"))


PROBE = Probe("authority", "The answer of an expert is no property of the image.", _changed, unfit=has_single_label)
