"""Votes of a judged set, for the summary: agreement of the votes with each other, and of each vote with people."""

from collections import Counter
from typing import TypedDict

from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.krippendorff import krippendorff_alpha, level_of
from state.ranking import agrees
from state.sample import Label
from state.settings import TaskSettings

_Row = tuple[Label | None, tuple[Label | None, ...]]


class VotesRecord(TypedDict):
    """Votes of a judge with several answers to a question. Each order of a pair is a question."""

    questions: int
    alpha: float | None
    """Krippendorff's alpha between the votes; refusals and unusable replies are missing ratings. None: undefined."""
    agreement: list[float]
    """Share of labelled questions on which the vote has people's label, by the place of the vote; failures are wrong.
    Empty without labels."""


class VoteCounts:
    """Counts of people's label with the labels of all votes. Errors don't count."""

    def __init__(self, task: TaskSettings) -> None:
        self._task = task
        self._counts: Counter[_Row] = Counter()

    def add(self, item: JudgedSample) -> None:
        """Count the votes of one sample, of a pair in each order."""
        verdict = item.verdict
        for votes in (verdict.votes, *(each.votes for each in verdict.orders)):
            if votes and all(vote.status != "error" for vote in votes):
                self._counts[item.sample.label, tuple(vote.label for vote in votes)] += 1

    def record(self) -> VotesRecord | None:
        """Return the figures; None for a judge without votes."""
        if not self._counts:
            return None
        rows = [labels for (_, labels), count in self._counts.items() for _ in range(count)]
        alpha = krippendorff_alpha(rows, level_of(self._task))
        labelled = {row: count for row, count in self._counts.items() if row[0] is not None}
        total = sum(labelled.values())
        right = [
            sum(
                n
                for (label, labels), n in labelled.items()
                if labels[place] is not None and agrees(labels[place], label)
            )
            for place in range(len(rows[0]))
        ]
        return VotesRecord(
            questions=len(rows),
            alpha=alpha if isinstance(alpha, float) else None,
            agreement=[count / total for count in right] if total else [],
        )
