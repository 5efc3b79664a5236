"""Probe: the text is longer, and says no more."""

from blpo.audit.probe import AuditContext, Probe, Question, has_text, with_sentence
from state.sample import Sample

_MORE = " ".join(["This text describes the item, and the item belongs to this text."] * 4)


def _changed(sample: Sample, context: AuditContext) -> Question:
    return Question(with_sentence(sample, _MORE, "length"))


PROBE = Probe("length", "The further sentences say nothing about the item.", _changed, unfit=has_text)
