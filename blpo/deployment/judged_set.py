"""What a judged set says as a whole: statuses, agreement with people, gates, shares of labels, cost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from blpo.deployment.verdict_lines import Judged
from blpo.metrics.agreement import metrics
from blpo.metrics.gate import Gate
from blpo.metrics.shares import Outcome, Shares, corrected_shares
from state.errors import DataError
from state.result import Metrics, RoleUsage
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Status, Verdict


class GateResult(TypedDict):
    """One gate and what came of it."""

    gate: str
    value: float
    kept: bool


class Summary(TypedDict):
    """What `blpo judge --json` prints."""

    judged: int
    statuses: dict[str, int]
    calls: RoleUsage
    """What the store counts, over all resumes."""
    metrics: Metrics | None
    """Against the labels of the input; None where there are none."""
    gates: list[GateResult]
    shares: dict[str, Any] | None
    """`blpo.metrics.shares.Shares`; None where no sample is labelled."""


class JudgedSet:
    """Counts of (human label, status, verdict): all that the numbers depend on, whatever the size of the set."""

    def __init__(self, task: TaskSettings) -> None:
        self._task = task
        self._counts: Counter[tuple[Label | None, Status, Label | None]] = Counter()

    def add(self, judged: Judged) -> None:
        """Count one more."""
        self._counts[judged.sample.label, judged.verdict.status, judged.verdict.label] += 1

    @property
    def statuses(self) -> Counter[str]:
        """How many there are of each status."""
        found: Counter[str] = Counter()
        for (_, status, _), count in self._counts.items():
            found[status] += count
        return found

    @property
    def labelled(self) -> Counter[tuple[Label, Outcome]]:
        """Human labels with what the judge said; errors, which say nothing, are left out."""
        found: Counter[tuple[Label, Outcome]] = Counter()
        for (label, status, verdict), count in self._counts.items():
            if label is not None and status != "error":
                found[label, verdict] += count
        return found

    @property
    def outcomes(self) -> Counter[Outcome]:
        """What the judge said of all; errors are left out."""
        found: Counter[Outcome] = Counter()
        for (_, status, verdict), count in self._counts.items():
            if status != "error":
                found[verdict] += count
        return found

    def agreement(self) -> Metrics | None:
        """The metrics over all that have a human label; None where none has."""
        verdicts: list[Verdict] = []
        labels: list[Label] = []
        for (label, status, verdict), count in self._counts.items():
            if label is not None:
                verdicts += [Verdict("", status, verdict)] * count
                labels += [label] * count
        return metrics(verdicts, labels, self._task) if labels else None

    def shares(self, calibration: Mapping[tuple[Label, Outcome], int] | None) -> Shares | None:
        """Corrected shares by a calibration, else by the set's own labels; None where there are neither."""
        labelled = self.labelled if calibration is None else calibration
        return corrected_shares(labelled, self.outcomes, self._task.values) if labelled else None


def summary(
    judged: JudgedSet,
    gates: list[GateResult],
    calibration: Mapping[tuple[Label, Outcome], int] | None,
    calls: RoleUsage,
) -> Summary:
    """All of it; shares are corrected by the calibration, else by the set's own labels."""
    shares = judged.shares(calibration)
    return Summary(
        judged=judged.statuses.total(),
        statuses=dict(judged.statuses.most_common()),
        calls=calls,
        metrics=judged.agreement(),
        gates=gates,
        shares=None if shares is None else asdict(shares),
    )


def gate_results(gates: Sequence[Gate], measured: Metrics | None) -> list[GateResult]:
    """What came of each gate; raises `DataError` where there are gates, and no labels to hold them against."""
    if gates and measured is None:
        raise DataError("--gate: the inputs have no labels; give a dataset with a label column, or leave the gate out")
    return [
        GateResult(gate=str(gate), value=gate.value(measured), kept=gate.is_kept(measured))
        for gate in gates
        if measured is not None
    ]
