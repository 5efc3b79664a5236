"""Rows of `blpo runs`, from the files of run directories: opens no dataset, store or checkpoints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from blpo.metrics.readings import strict_reading
from blpo.runs.run_progress import past_progress
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import total_usage
from blpo.runs.verdict_sentence import VerdictWord, judge_prompts, outcome
from blpo.runs.wording import single_line
from blpo.storage.locks import is_locked
from state.errors import RunError
from state.metrics import SplitMetrics
from state.result import Result

RowStatus = Literal["complete", "budget", "failed", "interrupted", "waiting", "running", "stopped", "broken"]
"""Status of result.json, or: `waiting` for a person's answer, `running` in a local process, `stopped` without
a result (killed, for example), `broken` with unreadable files."""

TRACES = ("run.json", "result.json", "events.jsonl", "responses.sqlite", "lock")
"""Files of a run directory. A folder with one of the files is listed, perhaps as broken."""

_EXPERIMENT = "evals.yaml"


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the list."""

    run: str
    """Run directory, as the user can type the path."""
    status: RowStatus
    note: str = ""
    """Reason for the status `broken` or `failed`."""
    metric: str | None = None
    split: Literal["test", "validation"] | None = None
    """Split of `before` and `after`; validation selects, and therefore flatters."""
    before: float | None = None
    """Metric under the first prompt, with failures counted as wrong."""
    after: float | None = None
    """Metric under the selected prompt, or under the best prompt so far."""
    p_value: float | None = None
    """p-value of the test."""
    rounds: int = 0
    """Judged updates of the judge prompt."""
    calls: int = 0
    """Paid calls over all roles."""
    usd: float | None = 0.0
    """Dollars; None for an unknown price."""
    created: str | None = None
    """ISO 8601, UTC."""
    low: float | None = None
    """Lower end of the 95 % interval of the difference on the test."""
    high: float | None = None
    """Upper end of the interval."""
    verdict: VerdictWord | Literal["unchanged"] | None = None
    """Outcome of the test; `unchanged` if the initial prompt stays; None without a test."""
    parent: str | None = None
    """Run directory of the run that this run is a fork of."""


def run_rows(folder: Path) -> list[RunRow]:
    """Return all runs of a folder: broken runs first, then the oldest. A run directory is a folder with a single run.

    Raises `RunError` for a missing folder.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: is no folder; give one that holds runs")
    directories = [folder] if is_run(folder) else [path for path in sorted(folder.iterdir()) if is_run(path)]
    return sorted(map(run_row, directories), key=lambda row: (row.created or "", row.run))


def is_run(path: Path) -> bool:
    """Return True for a run directory, also for a broken one; False for an experiment, which has a lock too."""
    return path.is_dir() and not (path / _EXPERIMENT).exists() and any((path / name).exists() for name in TRACES)


def run_row(path: Path) -> RunRow:
    """Return the row of a run directory; a run that can't be read has the status `broken`."""
    try:
        run = RunRecord.read(path)
    except RunError as error:
        return RunRow(str(path), "broken", single_line(str(error)))
    row = RunRow(str(path), "stopped", created=run.info.created, parent=_parent(run))
    result = run.result_or_none
    if result is None and (path / "result.json").exists():
        return replace(row, status="broken", note="result.json is damaged; blpo resume writes it again")
    if result is not None and (result["status"] in ("complete", "budget") or not is_locked(path)):
        return _finished(row, result)
    return _unfinished(row, path)


def _finished(row: RunRow, result: Result) -> RunRow:
    test, metric = result["test"], result["metric"]
    measured: SplitMetrics | None = test or result["validation"]
    total = total_usage(result["calls"].values())
    row = replace(
        row,
        status="waiting" if "question" in result else result["status"],
        note=single_line(result["stop_reason"]) if result["status"] == "failed" else "",
        metric=metric,
        p_value=test["p_value"] if test else None,
        rounds=max(len(result["rounds"]) - 1, 0),
        calls=total.issued,
        usd=total.usd,
    )
    if measured is None:
        return row
    before, after = (strict_reading(measured[side], metric) for side in ("initial", "best"))
    row = replace(row, split="test" if test else "validation", before=before, after=after)
    if test is None:
        return row
    low, high = test["difference_ci95"]
    unchanged = len(set(judge_prompts(result))) == 1
    return replace(row, low=low, high=high, verdict="unchanged" if unchanged else outcome(result))


def _parent(run: RunRecord) -> str | None:
    lineage = run.info.lineage or {}
    return lineage["fork"]["run"] if "fork" in lineage else None


def _unfinished(row: RunRow, path: Path) -> RunRow:
    """Fill the row of a run without a result, from events."""
    so_far = past_progress(path)
    values = [value for _, value in sorted(so_far.validation.items())]
    total = total_usage(so_far.usage.values())
    row = replace(
        row,
        status="running" if is_locked(path) else "stopped",
        metric=so_far.metric or None,
        rounds=max(so_far.validation, default=0),
        calls=total.issued,
        usd=total.usd,
    )
    return replace(row, split="validation", before=values[0], after=max(values)) if values else row
