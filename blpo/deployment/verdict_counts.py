"""Counts of verdicts of a set, by human label, status and verdict."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from blpo.deployment.calibration import Calibration
from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.agreement import metrics
from blpo.metrics.shares import Outcome, Shares, corrected_shares
from state.result import Metrics
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Status, Verdict

_K = TypeVar("_K")


_Key = tuple[Label | None, float | None, Status, Label | None]


class VerdictCounts:
    """Counts of (human label, rating with a fraction, status, verdict), of all samples and of every group.

    The counts suffice for all numbers. A set without groups and fractions needs the same memory, whatever its size.
    """

    def __init__(self, task: TaskSettings) -> None:
        self._task = task
        self._counts: Counter[_Key] = Counter()
        self._groups: dict[str, Counter[_Key]] = {}

    def add(self, item: JudgedSample) -> None:
        """Count one sample."""
        key = (item.sample.label, item.sample.rating, item.verdict.status, item.verdict.label)
        self._counts[key] += 1
        if item.sample.group is not None:
            self._groups.setdefault(item.sample.group, Counter())[key] += 1

    @property
    def statuses(self) -> Counter[str]:
        """Samples by status."""
        return _total((status, count) for (_, _, status, _), count in self._counts.items())

    @property
    def labelled(self) -> Counter[tuple[Label, Outcome]]:
        """Samples by human label and outcome, without errors: an error says nothing about the judge."""
        return _labelled(self._counts)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Samples by outcome, without errors."""
        return _outcomes(self._counts)

    def agreement(self) -> Metrics | None:
        """Return the metrics over all samples with a human label; None without labels.

        With `task.round: none` the metrics compare with the ratings as in a run.
        """
        verdicts: list[Verdict] = []
        labels: list[Label] = []
        ratings: list[float | None] = []
        for (label, rating, status, verdict), count in self._counts.items():
            if label is not None:
                verdicts += [Verdict("", status, verdict)] * count
                labels += [label] * count
                ratings += [rating] * count
        return metrics(verdicts, labels, self._task, ratings=ratings) if labels else None

    def shares(self, calibration: Calibration | None) -> Shares | None:
        """Return shares corrected by the calibration, else by the set's own labels; None without labelled samples."""
        groups = [group for group in self._groups.values() if group.total() > 1]
        if calibration is None:
            calibration = Calibration(self.labelled, [_labelled(group) for group in groups])
        if not calibration.counts:
            return None
        return corrected_shares(
            calibration.counts,
            self.outcomes,
            self._task.values,
            label_groups=calibration.groups,
            verdict_groups=[_outcomes(group) for group in groups],
        )


def _labelled(counts: Counter[_Key]) -> Counter[tuple[Label, Outcome]]:
    return _total(
        ((label, verdict), count)
        for (label, _, status, verdict), count in counts.items()
        if label is not None and status != "error"
    )


def _outcomes(counts: Counter[_Key]) -> Counter[Outcome]:
    return _total((verdict, count) for (_, _, status, verdict), count in counts.items() if status != "error")


def _total(pairs: Iterable[tuple[_K, int]]) -> Counter[_K]:
    counts: Counter[_K] = Counter()
    for key, count in pairs:
        counts[key] += count
    return counts
