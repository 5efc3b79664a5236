"""What a judge and a verbalizer answered."""

from dataclasses import dataclass
from typing import Literal

from state.sample import Label

Status = Literal["ok", "unparseable", "refused", "error"]
"""`ok`: an answer. `unparseable`: the reply holds no label of the task. `refused`: the model declined.
`error`: network, server or quota; it says nothing about the prompt. Only `ok` ever carries a label."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """f(x; p): the judge's answer for one sample under one prompt."""

    sample_id: str
    status: Status
    label: Label | None
    """The predicted label; None unless status is `ok`."""
    reason: str = ""
    """The judge's own reason, or what went wrong."""
    scores: tuple[tuple[Label, float], ...] = ()
    """How probable the judge holds each label of the task, adding up to 1; empty unless status is `ok`, the model's
    `logprobs` is set, and the server's log-probabilities tell the labels apart."""


@dataclass(frozen=True, slots=True)
class Description:
    """g(x; q): the words for one sample's image under one I2T prompt; used only to update prompts."""

    sample_id: str
    status: Status
    text: str
    """The description; for an error, what went wrong; else empty."""
