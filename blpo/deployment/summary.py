"""Summary of a judged set: statuses, agreement with people, gates, shares of labels, usage."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, cast

from blpo.deployment.baseline import Baseline, DriftRecord
from blpo.deployment.calibration import Calibration
from blpo.deployment.checklist_share import ChecklistRecord
from blpo.deployment.confidence_summary import ConfidenceRecord, TrustRecord
from blpo.deployment.escalation import EscalationRecord
from blpo.deployment.verdict_counts import VerdictCounts
from blpo.deployment.vote_counts import VotesRecord
from blpo.metrics.drift_gates import DriftGate
from blpo.metrics.gate import Gate
from blpo.metrics.pairwise import Positions
from blpo.metrics.shares import Share, Shares
from blpo.metrics.undefined import Undefined
from state.errors import DataError
from state.metrics import Metrics
from state.role_usage import RoleUsage
from state.sample import Label


class GateResult(TypedDict):
    """One gate with the measured value."""

    gate: str
    value: float | None
    """None if the metric is undefined."""
    kept: bool
    undefined: NotRequired[str]
    """Reason for an undefined value."""


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


class PositionsRecord(TypedDict):
    """Answers about pairs by position, also about pairs without a human label. None: undefined."""

    first_rate: float | None
    """Share of "first" among the answers "first" and "second": 0.5 without a lean."""
    first_rate_ci95: list[float] | None
    """95 % interval [low, high] of `first_rate`, by groups; None for less than two groups."""
    ties: float | None
    consistency: float | None
    """Share of pairs with the same label in all orders. A pair with a failure is not consistent."""


class JudgeRecord(TypedDict):
    """The judge behind the verdicts."""

    prompt: str
    """First 16 hex digits of the SHA-256 of the judge prompt."""
    model: str
    versions: dict[str, int]
    """Samples by the model's version as the server told it, the most frequent first."""


class TaskSummary(TypedDict):
    """Summary of one task."""

    judged: int
    """Samples, also the samples without a verdict."""
    statuses: dict[str, int]
    """Samples by status, the most frequent status first."""
    metrics: Metrics | None
    """Agreement with the labels of the inputs; None without labels, and for several tasks together."""
    shares: SharesRecord | None
    """None without labelled samples, and for several tasks together."""
    positions: NotRequired[PositionsRecord]
    """Absent for other tasks than pairs."""
    drift: NotRequired[DriftRecord]
    """Absent without a baseline."""
    votes: NotRequired[VotesRecord]
    """Absent for a judge without votes."""
    confidence: NotRequired[ConfidenceRecord]
    """Absent for a judge without a confidence."""
    trust: NotRequired[TrustRecord]
    """Absent without a target."""
    escalation: NotRequired[EscalationRecord]
    """Absent without a second judge."""


class Summary(TaskSummary):
    """Plain JSON values; `blpo judge --json` prints the same."""

    calls: RoleUsage
    """Counted by the response store, over all resumes; without those of a second judge."""
    gates: list[GateResult]
    judge: NotRequired[JudgeRecord]
    checklist: NotRequired[ChecklistRecord]
    """Shares of a checklist; absent for other judges."""
    by_task: NotRequired[dict[str, TaskSummary]]
    """Summary of each task or criterion of a judge of several; then a sample is an image under one of them. Absent for
    a judge of a single task."""


def summarize(
    counts: VerdictCounts,
    gates: Sequence[Gate],
    calibration: Calibration | None,
    calls: RoleUsage,
) -> Summary:
    """Return the summary; raises `DataError` for gates without labels."""
    measured = counts.agreement()
    shares = counts.shares(calibration)
    summary = Summary(
        judged=counts.statuses.total(),
        statuses=dict(counts.statuses.most_common()),
        calls=calls,
        metrics=measured,
        gates=_gate_results(gates, measured),
        shares=None if shares is None else _shares_record(shares),
    )
    if (positions := counts.positions()) is not None:
        summary["positions"] = _positions_record(positions)
    if counts.judge is not None:
        versions = dict(counts.versions.most_common())
        summary["judge"] = JudgeRecord(prompt=counts.judge.prompt, model=counts.judge.model, versions=versions)
    return summary


def joined(parts: Mapping[str, Summary], calls: RoleUsage) -> Summary:
    """Return the summary over several tasks from those of each; a gate begins with the name of its task."""
    statuses, versions = Counter[str](), Counter[str]()
    for part in parts.values():
        statuses.update(part["statuses"])
        versions.update(part["judge"]["versions"] if "judge" in part else {})
    gates = [
        GateResult(**{**gate, "gate": f"{name}:{gate['gate']}"}) for name in parts for gate in parts[name]["gates"]
    ]
    summary = Summary(
        judged=statuses.total(),
        statuses=dict(statuses.most_common()),
        calls=calls,
        metrics=None,
        gates=gates,
        shares=None,
    )
    if judge := next((part["judge"] for part in parts.values() if "judge" in part), None):
        versions_by_count = dict(versions.most_common())
        summary["judge"] = JudgeRecord(prompt=judge["prompt"], model=judge["model"], versions=versions_by_count)
    summary["by_task"] = {name: _task_summary(part) for name, part in parts.items()}
    return summary


def _task_summary(part: Summary) -> TaskSummary:
    return cast(TaskSummary, {name: value for name, value in part.items() if name not in ("calls", "gates", "judge")})


def add_drift(summary: Summary, baseline: Baseline, gates: Sequence[DriftGate]) -> None:
    """Put the drift from a baseline into the summary, with its gates behind the other gates."""
    drift = baseline.drift()
    summary["drift"] = baseline.record(drift)
    for gate in gates:
        value = gate.value(drift)
        result = GateResult(gate=str(gate), value=value, kept=gate.is_kept(drift))
        if value is None:
            result["undefined"] = gate.reason_undefined(drift)
        summary["gates"].append(result)


def no_labels() -> DataError:
    """Return the error for gates without labels."""
    return DataError("gates need labels, and the inputs have no labels: give a dataset with labels, or no gate")


def _gate_results(gates: Sequence[Gate], measured: Metrics | None) -> list[GateResult]:
    if not gates:
        return []
    if measured is None:
        raise no_labels()
    return [_gate_result(gate, measured) for gate in gates]


def _gate_result(gate: Gate, measured: Metrics) -> GateResult:
    result = GateResult(gate=str(gate), value=gate.value(measured), kept=gate.is_kept(measured))
    if reason := gate.reason_undefined(measured):
        result["undefined"] = reason
    return result


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


def _positions_record(positions: Positions) -> PositionsRecord:
    values = positions.first_rate, positions.ties, positions.consistency
    first_rate, ties, consistency = (None if isinstance(value, Undefined) else value for value in values)
    interval = None if positions.interval is None else list(positions.interval)
    return PositionsRecord(first_rate=first_rate, first_rate_ci95=interval, ties=ties, consistency=consistency)
