"""One population for a comparison of two prompts: verdicts that count, on the same samples.

Refused and unparseable verdicts count as wrong. An error (network, server, quota) says nothing about a prompt, so a
sample with an error under either prompt is left out under both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from blpo.metrics.agreement import farthest_label
from blpo.metrics.pairwise import answer_pairs
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Status, Verdict

CountedAnswer = tuple[str | int, tuple[Label, Label, Label]]
"""Group of a sample; human label, first answer, second answer."""


@dataclass(frozen=True, slots=True)
class VerdictPairs:
    """Verdicts under two prompts, sample by sample. An error under one prompt is an error under both."""

    first: list[Verdict]
    second: list[Verdict]
    left_out: int
    """Samples with an error."""

    @classmethod
    def of(cls, first: Sequence[Verdict], second: Sequence[Verdict]) -> "VerdictPairs":
        """Pair verdicts. The sequences list the same samples in the same order."""
        pairs = [_with_common_error(one, other) for one, other in zip(first, second, strict=True)]
        left_out = sum(one.status == "error" for one, _ in pairs)
        return cls([one for one, _ in pairs], [other for _, other in pairs], left_out)


def strict_label(status: Status, answer: Label | None, human: Label, task: TaskSettings) -> Label | None:
    """Return the label that a verdict counts as: a refused or unparseable verdict is the farthest wrong label.

    None for an error.
    """
    if status == "error":
        return None
    return farthest_label(human, task) if answer is None else answer


def counted_answers(
    units: Iterable[str | int],
    first: Sequence[Verdict],
    second: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    metric: str,
) -> Iterator[CountedAnswer]:
    """Yield group, and human label with the two answers, of every labelled sample without an error.

    A pair has a row for every order, all of one group; under a metric of pairs a single row, which is right if all
    orders are.
    """
    for unit, one, other, label in zip(units, first, second, labels, strict=True):
        if label is None:
            continue
        for answers in answer_pairs(one, other, metric):
            before, after = (strict_label(verdict.status, verdict.label, label, task) for verdict in answers)
            if before is not None and after is not None:
                yield unit, (label, before, after)


def _with_common_error(first: Verdict, second: Verdict) -> tuple[Verdict, Verdict]:
    if (first.status == "error") == (second.status == "error"):
        return first, second
    error = first if first.status == "error" else second
    return replace(error, sample_id=first.sample_id), replace(error, sample_id=second.sample_id)
