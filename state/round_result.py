"""Record of a round in result.json, with its trials."""

from typing import NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Decision
from state.metrics import Metrics


class TrialResult(TypedDict):
    """A trial of the inner loop."""

    i2t_prompt: str | None
    """q_k; None if the optimizer gave no usable prompt."""
    score: float | None
    """In [-1, 1], higher is better; None for a failed trial, and where trials are pooled."""


class GainResult(TypedDict):
    """Gain of a prompt over another on the same samples."""

    difference: float
    """Difference of the search metric, higher is better."""
    noise: float
    """Standard error of the difference."""


class RoundResult(TypedDict):
    """Record t: p_t, validation metrics, and the trials before p_{t+1}."""

    round: int
    judge_prompt: str
    i2t_prompt: str
    validation: Metrics
    labelled: NotRequired[Metrics]
    """Metrics on train and validation together, which select; absent where validation alone selects."""
    gain: NotRequired[GainResult]
    """Gain over the best prompt before, on train and validation; absent in round 0, and where validation selects."""
    errors: int
    """Size of I_B."""
    anchors: NotRequired[int]
    """Rightly judged samples of the batch, where trials are pooled."""
    trials: list[TrialResult]
    fallen: NotRequired[list[str]]
    """Tasks that fell by more than `search.floor`, so that the prompt was not adopted; absent without one."""
    failure: NotRequired[str]
    """Reason of a failed update from pooled trials."""
    decisions: NotRequired[list[Decision]]
    """People's decisions about the new prompts; absent if nobody was asked."""
