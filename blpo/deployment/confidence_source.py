"""Another source of confidence for a judge; its verdicts stay the same."""

from blpo.deployment.judge import Judge
from blpo.inference.answer_forms import asks_once
from state.errors import ConfigError
from state.settings.model_settings import WORDS_OF_ONE, ConfidenceSource


def with_source(judge: Judge, source: ConfidenceSource | None) -> Judge:
    """Return the judge with a source of confidence; None keeps the source of its settings.

    Raises `ConfigError` for log-probabilities of a judge that was aligned without, because a request for them is
    another request, and for the words of a judge with votes and of a panel.
    """
    models = judge.file.models
    if source is None or source == models.judge.confidence:
        return judge
    if source == "logprobs" and not all(models.of(role).logprobs for role in models.judge_roles):
        raise ConfigError("--confidence logprobs: this judge has no log-probabilities; give repeats or words")
    if source == "words" and models.answers > 1:
        raise ConfigError(f"{WORDS_OF_ONE}; give repeats, the share of equal votes")
    judge.file = judge.file.with_confidence(source)
    return judge


def require_told(judge: Judge) -> None:
    """Raise `ConfigError` for log-probabilities of answers with several labels."""
    source = judge.file.model.confidence
    if source == "logprobs" and asks_once(judge.file.settings):
        raise ConfigError(
            "confidence logprobs: an answer of this judge holds a label for each criterion (criteria_calls: one), and"
            " log-probabilities are read for a single label; give --confidence repeats or words"
        )
