"""Answers of a judge and a verbalizer about a sample."""

from dataclasses import dataclass
from typing import Any, Literal

from state.sample import Label

Status = Literal["ok", "unparseable", "refused", "error"]
"""`ok`: an answer. `unparseable`: the reply holds no label of the task. `refused`: the model declined.
`error`: network, server or quota; an error says nothing about the prompt. Only `ok` has a label."""

Order = Literal["ab", "ba"]
"""Order of a pair in a request: `ab` shows a first, `ba` shows b first."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One of several answers to the same question, by one judge or by the members of a panel."""

    status: Status
    label: Label | None
    """None unless status is `ok`."""
    reason: str = ""
    member: str = ""
    """Name of the member of a panel; empty for the votes of one judge."""
    before: "Vote | None" = None
    """The member's answer before the discussion; None without a discussion."""

    @property
    def alone(self) -> "Vote":
        """The answer that the judge gave by itself."""
        return self.before or self

    @property
    def fields(self) -> dict[str, Any]:
        """The vote in a line; without a member for the votes of one judge."""
        content = {"status": self.status, "label": self.label, "reason": self.reason}
        of_panel = {"member": self.member} if self.member else {}
        return content | of_panel | ({} if self.before is None else {"before": self.before.fields})


@dataclass(frozen=True, slots=True)
class OrderedVerdict:
    """The judge's answer about a pair in one order."""

    order: Order
    status: Status
    label: Label | None
    """Chosen label of the task: a, b or tie, whatever the order; None unless status is `ok`."""
    reason: str = ""
    """The judge's own reason, or the reason of the failure."""
    scores: tuple[tuple[Label, float], ...] = ()
    """Probability of each label of the task, as in a `Verdict`."""
    votes: tuple[Vote, ...] = ()
    """Answers in this order, as in a `Verdict`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """f(x; p): the judge's answer for a sample under a judge prompt."""

    sample_id: str
    status: Status
    label: Label | None
    """Predicted label; None unless status is `ok`, and for a pair whose orders have different labels."""
    reason: str = ""
    """The judge's own reason, or the reason of the failure. For a pair: the reasons of all orders, each named."""
    scores: tuple[tuple[Label, float], ...] = ()
    """Probability of each label of the task, by the judge; the sum is 1. Empty unless status is `ok`, the model's
    `logprobs` is set, and the server's log-probabilities tell the labels apart. For a pair: the mean of all orders."""
    orders: tuple[OrderedVerdict, ...] = ()
    """Verdicts of a pair by order; empty for tasks of one image. The pair's status is `error` if an order has an
    `error`, else the first status that is not `ok`, else `ok`."""
    votes: tuple[Vote, ...] = ()
    """Answers behind the verdict of a panel, and where `models.judge.votes` is above 1. Empty for a pair, whose orders
    have votes, and for a list or a pair that is judged in parts."""


@dataclass(frozen=True, slots=True)
class Description:
    """g(x; q): the description of a sample's images under an I2T prompt; used only to update prompts."""

    sample_id: str
    status: Status
    text: str
    """The description; the reason for an error; else empty."""
