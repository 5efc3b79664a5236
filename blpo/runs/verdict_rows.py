"""Verdicts of a run directory: verdicts/{initial,best}.jsonl and rounds/NN/errors.jsonl."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from blpo.runs.json_lines import read_json_lines
from state.errors import RunError
from state.ranking import agrees
from state.sample import Label, Sample, SplitName
from state.verdict import OrderedVerdict, Status, Verdict, Vote

VerdictChange = Literal["fixed", "broken", "wrong", "right"]
"""Change of a sample between two prompts: wrong then right, right then wrong, wrong twice, right twice. A sample
without an answer is not right."""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A line: a labelled sample and the verdict under a prompt."""

    id: str
    label: Label
    """The human label."""
    verdict: Label | None
    status: Status
    reason: str
    split: SplitName = "train"
    group: str | None = None
    """Group of the sample; None for a sample of its own, and in runs of versions before 0.2.0."""
    rating: float | None = None
    """Human rating with its fraction; None for a label without a fraction."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Probability of the labels by the judge; empty for a judge without log-probabilities."""
    orders: tuple[OrderedVerdict, ...] = ()
    """Verdicts of a pair by order; empty for samples of one image."""
    votes: tuple[Vote, ...] = ()
    """Answers behind the verdict, as in a `Verdict`."""
    task: str = ""
    """Task of the sample among several tasks; empty for a single task."""

    @property
    def item(self) -> str:
        """Id of the sample without the name of its task."""
        return self.id.removeprefix(f"{self.task}/") if self.task else self.id

    @property
    def in_sample(self) -> Sample:
        """The line as a sample without images, for metrics."""
        return Sample(self.id, (), self.label, group=self.group, rating=self.rating, task=self.task)

    @property
    def in_verdict(self) -> Verdict:
        """The line as a verdict, without probabilities."""
        return Verdict(self.id, self.status, self.answer, self.reason, orders=self.orders, votes=self.votes)

    @property
    def answers(self) -> tuple["VerdictRow", ...]:
        """A row for every answer: one for each order of a pair, else the row itself."""
        return tuple(
            replace(
                self, verdict=each.label, status=each.status, reason=each.reason, scores={}, orders=(), votes=each.votes
            )
            for each in self.orders
        ) or (self,)

    @property
    def answer(self) -> Label | None:
        """The judge's label; None for a failure, and for a pair whose orders have different labels."""
        return self.verdict if self.status == "ok" else None

    @property
    def is_compared(self) -> bool:
        """True for a pair whose two sides were labelled alone: the row's reason has both labels, an order has none.

        Then `orders` are no answers of the judge: two equal labels are a in one order and b in the other.
        """
        return self.status == "ok" and bool(self.reason) and not any(each.reason for each in self.orders or (self,))

    @property
    def is_right(self) -> bool:
        """True if the judge's label is the human label; for a pair in all orders; a ranking has no two reversed."""
        return self.status == "ok" and agrees(self.verdict, self.label)


_ROW = TypeAdapter(VerdictRow)


def verdict_line(sample: Sample, verdict: Verdict) -> dict[str, Any]:
    """Return the line of a verdict; lines of verdicts/ also name the split."""
    return {
        "id": sample.id,
        "label": sample.label,
        "verdict": verdict.label,
        "status": verdict.status,
        "reason": verdict.reason,
        **({} if sample.group is None else {"group": sample.group}),
        **({} if sample.rating is None else {"rating": sample.rating}),
        **({"scores": dict(verdict.scores)} if verdict.scores else {}),
        **({"orders": list(map(order_fields, verdict.orders))} if verdict.orders else {}),
        **({"votes": [vote.fields for vote in verdict.votes]} if verdict.votes else {}),
        **({"task": sample.task} if sample.task else {}),
    }


def order_fields(ordered: OrderedVerdict) -> dict[str, Any]:
    """Return the fields of a verdict in one order for a line; without scores and votes if there are none."""
    content = asdict(ordered) | {"votes": [vote.fields for vote in ordered.votes]}
    return {name: value for name, value in content.items() if value or name not in ("scores", "votes")}


def read_verdict_rows(file: Path) -> tuple[VerdictRow, ...]:
    """Read the verdicts of a file; none for a missing file. Raises `RunError` for a damaged file."""
    try:
        return tuple(read_json_lines(file, _ROW))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RunError(f"{file} can't be read: {error.strerror}") from None


def verdict_change(before: VerdictRow, after: VerdictRow) -> VerdictChange:
    """Return the change of a sample between two prompts."""
    if before.is_right:
        return "right" if after.is_right else "broken"
    return "fixed" if after.is_right else "wrong"
