"""Result of a cell: numbers of the table, read from the run directory of the cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from blpo.metrics.agreement import value
from blpo.metrics.task_codes import above_chance
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import total_usage
from blpo.runs.verdict_rows import VerdictRow
from evals.cells import Cell
from state.metrics import Metrics
from state.metrics_on_test import TaskTest, TestMetrics
from state.result import Result
from state.settings import Settings

CellStatus = Literal["done", "failed", "open"]
"""done: tested; failed: ended without a test; open: not started, or interrupted."""


@dataclass(frozen=True, slots=True)
class Readings:
    """A metric in both readings."""

    strict: float
    """With failures counted as wrong."""
    answered: float
    """Over answered samples alone."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Result on the test samples of one of several tasks."""

    metric: str
    value: float
    """The task's metric under the selected prompt, with failures counted as wrong; 0.0 if undefined."""
    initial: float
    """The same metric under p_0."""
    chance: float
    """The same metric of uniform guessing."""
    samples: int

    @property
    def above_chance(self) -> float:
        """0 for guessing, 1 for full agreement."""
        return above_chance(self.value, self.chance)


@dataclass(frozen=True, slots=True)
class CellResult:
    """One entry of `cells` in table.json."""

    name: str
    method: str
    dataset: str
    judge: str
    seed: int
    varied: str
    status: CellStatus
    reason: str = ""
    """Reason of a failure; empty if there is none."""
    metric: str = ""
    value: float = 0.0
    """Search metric of the selected prompt on the test split, with failures counted as wrong."""
    initial: float = 0.0
    """The same metric under p_0."""
    accuracy: float | None = 0.0
    """Accuracy of the selected prompt, with failures counted as wrong; None for rankings."""
    consistent_accuracy: float | None = None
    """Share of pairs that are right in both orders, with failures counted as wrong; None for other tasks and orders."""
    first_rate: float | None = None
    """Share of "first" among the answers "first" and "second"; None for other tasks, and if no answer has a place."""
    macro_f1: Readings | None = None
    """Macro F1 of the selected prompt."""
    positive_f1: Readings | None = None
    """F1 of `task.positive` under the selected prompt; None if the task names no positive label."""
    coverage: float = 0.0
    samples: int = 0
    """Number of test samples."""
    calls: int = 0
    """Charged calls: the distinct requests of the cell, answered by a model or by the shared store."""
    tokens: int = 0
    usd: float | None = 0.0
    """None if a price is not known."""
    rounds: int = 0
    """Rounds with an update of the judge prompt."""
    stopped: str = ""
    seconds: float = 0.0
    task: str = ""
    """Task that the cell learns alone, of several tasks; empty for a cell of all tasks."""
    judge_calls: int = 0
    """Charged calls of the judge."""
    by_task: Mapping[str, TaskResult] = field(default_factory=dict)
    """Results by task; empty for a single task."""

    @property
    def is_done(self) -> bool:
        """True if the cell has numbers."""
        return self.status == "done"


def read_cell(cell: Cell, reason: str | None = None) -> CellResult:
    """Read the result of a cell from the run directory; `reason` is the reason of a failure just now."""
    row = partial(CellResult, cell.name, cell.method, cell.dataset, cell.judge, cell.seed, cell.varied, task=cell.task)
    result = _result(cell)
    if reason is not None:
        return row(status="failed", reason=reason, **(_usage(result) if result else {}))
    if result is None:
        return row(status="open")
    if result["status"] == "interrupted":
        return row(status="open", **_usage(result))
    if result["status"] == "failed":
        return row(status="open", reason=result["stop_reason"], **_usage(result))
    if result["test"] is None:
        return row(status="failed", reason="no budget was left for the test", **_usage(result))
    return row(status="done", **_usage(result), **_numbers(result["test"], cell.settings))


def read_answers(cell: Cell) -> dict[str, VerdictRow]:
    """Return the verdict under the selected prompt by test sample."""
    return {row.id: row for row in RunRecord.read(cell.path).best.values() if row.split == "test"}


def _result(cell: Cell) -> Result | None:
    return RunRecord.read(cell.path).result_or_none if (cell.path / "run.json").exists() else None


def _usage(result: Result) -> dict[str, Any]:
    total = total_usage(result["calls"].values())
    return {
        "calls": total.issued,
        "tokens": total.tokens,
        "usd": None if total.usd is None else round(total.usd, 6),
        "rounds": max(len(result["rounds"]) - 1, 0),
        "stopped": result["stop_reason"],
        "seconds": result["seconds"],
        "judge_calls": result["calls"]["judge"]["issued"] if "judge" in result["calls"] else 0,
    }


def _numbers(test: TestMetrics, settings: Settings) -> dict[str, Any]:
    best, metric = test["best"], settings.search.metric
    return {
        "metric": metric,
        "value": value(best, metric),
        "initial": value(test["initial"], metric),
        "accuracy": value(best, "accuracy") if "accuracy" in best["strict"] else None,
        "consistent_accuracy": best["strict"].get("consistent_accuracy"),
        "first_rate": best["strict"].get("first_rate"),
        "macro_f1": _readings(best["strict"].get("macro_f1"), best.get("macro_f1")),
        "positive_f1": _positive_f1(best, settings.task.positive),
        "coverage": best["coverage"],
        "samples": best["n"],
        "by_task": {name: _task_result(task) for name, task in test.get("by_task", {}).items()},
    }


def _task_result(task: TaskTest) -> TaskResult:
    return TaskResult(task["metric"], task["best"] or 0.0, task["initial"] or 0.0, task["chance"], task["n"])


def _positive_f1(metrics: Metrics, positive: str | None) -> Readings | None:
    """Return F1 of the positive label; None without a positive label, and in results of versions without this F1."""
    if positive is None:
        return None
    readings: tuple[Mapping[str, Any], ...] = (metrics["strict"], metrics)
    strict, answered = (reading.get("f1", {}).get(positive) for reading in readings)
    return _readings(strict, answered)


def _readings(strict: float | None, answered: float | None) -> Readings | None:
    return None if strict is None or answered is None else Readings(strict, answered)
