"""Counts of verdicts of a set, by human label, status and verdict."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.agreement import metrics
from blpo.metrics.shares import Outcome, Shares, corrected_shares
from state.result import Metrics
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Status, Verdict

_K = TypeVar("_K")


class VerdictCounts:
    """Counts of (human label, status, verdict): enough for all numbers, whatever the size of the set."""

    def __init__(self, task: TaskSettings) -> None:
        self._task = task
        self._counts: Counter[tuple[Label | None, Status, Label | None]] = Counter()

    def add(self, item: JudgedSample) -> None:
        """Count one sample."""
        self._counts[item.sample.label, item.verdict.status, item.verdict.label] += 1

    @property
    def statuses(self) -> Counter[str]:
        """Samples by status."""
        return _total((status, count) for (_, status, _), count in self._counts.items())

    @property
    def labelled(self) -> Counter[tuple[Label, Outcome]]:
        """Samples by human label and outcome, without errors: an error says nothing about the judge."""
        return _total(
            ((label, verdict), count)
            for (label, status, verdict), count in self._counts.items()
            if label is not None and status != "error"
        )

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Samples by outcome, without errors."""
        return _total((verdict, count) for (_, status, verdict), count in self._counts.items() if status != "error")

    def agreement(self) -> Metrics | None:
        """Return the metrics over all samples with a human label; None without labels."""
        verdicts: list[Verdict] = []
        labels: list[Label] = []
        for (label, status, verdict), count in self._counts.items():
            if label is not None:
                verdicts += [Verdict("", status, verdict)] * count
                labels += [label] * count
        return metrics(verdicts, labels, self._task) if labels else None

    def shares(self, calibration: Mapping[tuple[Label, Outcome], int] | None) -> Shares | None:
        """Return shares corrected by the calibration, else by the set's own labels; None without labelled samples."""
        labelled = self.labelled if calibration is None else calibration
        return corrected_shares(labelled, self.outcomes, self._task.values) if labelled else None


def _total(pairs: Iterable[tuple[_K, int]]) -> Counter[_K]:
    counts: Counter[_K] = Counter()
    for key, count in pairs:
        counts[key] += count
    return counts
