"""Summary of a judged set: statuses, agreement with people, gates, shares of labels, usage."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict, TypeVar

from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.agreement import metrics
from blpo.metrics.gate import Gate
from blpo.metrics.shares import Outcome, Share, Shares, corrected_shares
from state.errors import DataError
from state.result import Metrics, RoleUsage
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Status, Verdict

_K = TypeVar("_K")


class GateResult(TypedDict):
    """One gate with the measured value."""

    gate: str
    value: float
    kept: bool


class ShareRecord(TypedDict):
    """Share of one label, as in `blpo.metrics.shares.Share`."""

    label: Label
    judged: float
    corrected: float | None
    interval: list[float] | None
    """95 % interval [low, high] of `corrected`."""


class SharesRecord(TypedDict):
    """Shares of all labels, as in `blpo.metrics.shares.Shares`."""

    labelled: int
    undefined: str | None
    absent: list[Label]
    shares: list[ShareRecord]


class Summary(TypedDict):
    """Plain JSON values; `blpo judge --json` prints the same."""

    judged: int
    """Samples, also the samples without a verdict."""
    statuses: dict[str, int]
    """Samples by status, the most frequent status first."""
    calls: RoleUsage
    """Counted by the response store, over all resumes."""
    metrics: Metrics | None
    """Agreement with the labels of the inputs; None without labels."""
    gates: list[GateResult]
    shares: SharesRecord | None
    """None without labelled samples."""


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


def summarize(
    counts: VerdictCounts,
    gates: Sequence[Gate],
    calibration: Mapping[tuple[Label, Outcome], int] | None,
    calls: RoleUsage,
) -> Summary:
    """Return the summary; raises `DataError` for gates without labels."""
    measured = counts.agreement()
    shares = counts.shares(calibration)
    return Summary(
        judged=counts.statuses.total(),
        statuses=dict(counts.statuses.most_common()),
        calls=calls,
        metrics=measured,
        gates=_gate_results(gates, measured),
        shares=None if shares is None else _shares_record(shares),
    )


def no_labels() -> DataError:
    """Return the error for gates without labels."""
    return DataError("gates need labels, and the inputs have no labels: give a dataset with labels, or no gate")


def _gate_results(gates: Sequence[Gate], measured: Metrics | None) -> list[GateResult]:
    if not gates:
        return []
    if measured is None:
        raise no_labels()
    return [GateResult(gate=str(gate), value=gate.value(measured), kept=gate.is_kept(measured)) for gate in gates]


def _shares_record(shares: Shares) -> SharesRecord:
    return SharesRecord(
        labelled=shares.labelled,
        undefined=shares.undefined,
        absent=list(shares.absent),
        shares=[_share_record(share) for share in shares.shares],
    )


def _share_record(share: Share) -> ShareRecord:
    interval = None if share.interval is None else list(share.interval)
    return ShareRecord(label=share.label, judged=share.judged, corrected=share.corrected, interval=interval)


def _total(pairs: Iterable[tuple[_K, int]]) -> Counter[_K]:
    counts: Counter[_K] = Counter()
    for key, count in pairs:
        counts[key] += count
    return counts
