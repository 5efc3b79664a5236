"""Answers of a judge and a verbalizer about a sample."""

from dataclasses import dataclass
from typing import Literal

from state.sample import Label

Status = Literal["ok", "unparseable", "refused", "error"]
"""`ok`: an answer. `unparseable`: the reply holds no label of the task. `refused`: the model declined.
`error`: network, server or quota; an error says nothing about the prompt. Only `ok` has a label."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """f(x; p): the judge's answer for a sample under a judge prompt."""

    sample_id: str
    status: Status
    label: Label | None
    """Predicted label; None unless status is `ok`."""
    reason: str = ""
    """The judge's own reason, or the reason of the failure."""
    scores: tuple[tuple[Label, float], ...] = ()
    """Probability of each label of the task, by the judge; the sum is 1. Empty unless status is `ok`, the model's
    `logprobs` is set, and the server's log-probabilities tell the labels apart."""


@dataclass(frozen=True, slots=True)
class Description:
    """g(x; q): the description of a sample's images under an I2T prompt; used only to update prompts."""

    sample_id: str
    status: Status
    text: str
    """The description; the reason for an error; else empty."""
