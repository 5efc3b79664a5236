"""What `blpo runs` says of each run directory, from its files alone: no dataset, store or checkpoint is opened."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from blpo.metrics.readings import strict_reading
from blpo.reports.wording import one_line
from blpo.runs.run_progress import past_progress
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import total_usage
from blpo.storage.locks import is_locked
from state.errors import RunError
from state.result import Result, SplitMetrics

Status = Literal["complete", "budget", "failed", "interrupted", "waiting", "running", "stopped", "broken"]
"""As in result.json; `waiting` for a person's answer, `running` in a process of this machine, `stopped` without a word
(killed, say), `broken`: its files can't be read."""

TRACES = ("run.json", "result.json", "events.jsonl", "responses.sqlite", "lock")
"""One of these makes a folder a run directory, if perhaps a broken one."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run."""

    run: str
    """Its directory, as the user can type it."""
    status: Status
    note: str = ""
    """What is broken, why it failed, or what it waits for."""
    metric: str | None = None
    split: Literal["test", "validation"] | None = None
    """What `before` and `after` were measured on; validation selects, and therefore flatters."""
    before: float | None = None
    """The metric under the first prompt, failures counted as wrong."""
    after: float | None = None
    """The same under the selected prompt, or the best so far."""
    p_value: float | None = None
    """Of the test."""
    rounds: int = 0
    """Updates of the judge prompt that were judged."""
    calls: int = 0
    """Paid for, over all roles."""
    usd: float | None = 0.0
    """None where a price is not known."""
    created: str | None = None
    """ISO 8601, UTC."""


def run_rows(folder: Path) -> list[RunRow]:
    """All runs of a folder, the oldest first and broken ones before them; a run directory is a folder of one run.

    Raises `RunError` where there is no such folder.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: is no folder; give one that holds runs")
    found = [folder] if _is_run(folder) else [path for path in sorted(folder.iterdir()) if _is_run(path)]
    return sorted(map(_row, found), key=lambda row: (row.created or "", row.run))


def _is_run(path: Path) -> bool:
    return path.is_dir() and any((path / name).exists() for name in TRACES)


def _row(path: Path) -> RunRow:
    try:
        run = RunRecord.read(path)
    except RunError as error:
        return RunRow(str(path), "broken", one_line(str(error)))
    row = RunRow(str(path), "stopped", created=run.info.created)
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
        note=one_line(result["stop_reason"]) if result["status"] == "failed" else "",
        metric=metric,
        p_value=test["p_value"] if test else None,
        rounds=max(len(result["rounds"]) - 1, 0),
        calls=total.issued,
        usd=total.usd,
    )
    if measured is None:
        return row
    before, after = (strict_reading(measured[side], metric) for side in ("initial", "best"))
    return replace(row, split="test" if test else "validation", before=before, after=after)


def _unfinished(row: RunRow, path: Path) -> RunRow:
    """Fill the row of a run without a last word from its events."""
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
