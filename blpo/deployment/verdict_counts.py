"""Counts of verdicts of a set, by human label, status and verdict."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple, TypeVar

from blpo.deployment.calibration import Calibration
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.agreement import metrics
from blpo.metrics.pairwise import Positions
from blpo.metrics.shares import Outcome, Shares, corrected_shares
from state.metrics import Metrics
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import OrderedVerdict, Status, Verdict

_K = TypeVar("_K")


class _Key(NamedTuple):
    """What the numbers need of a judged sample."""

    label: Label | None
    rating: float | None
    """Human rating with its fraction."""
    status: Status
    verdict: Label | None
    orders: tuple[OrderedVerdict, ...]
    """Answers about a pair without reasons; empty for other tasks."""

    @classmethod
    def of(cls, item: JudgedSample) -> "_Key":
        verdict = item.verdict
        orders = tuple(OrderedVerdict(each.order, each.status, each.label) for each in verdict.orders)
        return cls(item.sample.label, item.sample.rating, verdict.status, verdict.label, orders)

    @property
    def in_verdict(self) -> Verdict:
        return Verdict("", self.status, self.verdict, orders=self.orders)


class VerdictCounts:
    """Counts of human labels with ratings and verdicts, of all samples and of every group.

    The counts suffice for all numbers. A set without groups and fractions needs the same memory, whatever its size.
    """

    def __init__(self, task: TaskSettings) -> None:
        self._task = task
        self._counts: Counter[_Key] = Counter()
        self._groups: dict[str, Counter[_Key]] = {}
        self.judge: JudgeIdentity | None = None
        """Identity of the judge of the last sample; of the first, where a second judge decides about some."""
        self.versions: Counter[str] = Counter()
        """Samples by the version of the model as served."""

    def add(self, item: JudgedSample, times: int = 1) -> None:
        """Count one sample, or so many samples that are equal here."""
        key = _Key.of(item)
        self._counts[key] += times
        if item.sample.group is not None:
            self._groups.setdefault(item.sample.group, Counter())[key] += times
        if (judge := item.by_first.judge) is not None:
            self.judge = judge
            if judge.version:
                self.versions[judge.version] += times

    @property
    def statuses(self) -> Counter[str]:
        """Samples by status."""
        return _total((key.status, count) for key, count in self._counts.items())

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
        rows = [(key, group) for key, group in self._rows() if key.label is not None]
        if not rows:
            return None
        keys, groups = zip(*rows, strict=True)
        labels, ratings = [key.label for key in keys], [key.rating for key in keys]
        return metrics([key.in_verdict for key in keys], labels, self._task, ratings=ratings, groups=groups)

    def positions(self) -> Positions | None:
        """Return the answers about pairs by position, also of pairs without a human label; None for other tasks."""
        if self._task.kind != "pairwise" or self._task.order == "apart":
            return None
        rows = list(self._rows())
        return Positions.of([key.in_verdict for key, _ in rows], [group for _, group in rows])

    def _rows(self) -> Iterator[tuple[_Key, str | None]]:
        """Yield the key and the group of every sample."""
        alone = self._counts.copy()
        for counts in self._groups.values():
            alone.subtract(counts)
        for group, counts in [(None, alone), *self._groups.items()]:
            for key, count in counts.items():
                yield from repeat((key, group), count)

    def shares(self, calibration: Calibration | None) -> Shares | None:
        """Return shares corrected by the calibration, else by the set's own labels; None without labelled samples.

        None for rankings too: a ranking has no share.
        """
        if self._task.kind == "ranking":
            return None
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
        ((key.label, key.verdict), count)
        for key, count in counts.items()
        if key.label is not None and key.status != "error"
    )


def _outcomes(counts: Counter[_Key]) -> Counter[Outcome]:
    return _total((key.verdict, count) for key, count in counts.items() if key.status != "error")


def _total(pairs: Iterable[tuple[_K, int]]) -> Counter[_K]:
    counts: Counter[_K] = Counter()
    for key, count in pairs:
        counts[key] += count
    return counts
