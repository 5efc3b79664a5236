"""What became of a cell: the numbers of the table, read from its run directory."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from blpo.metrics.agreement import value
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import total_usage
from evals.cells import Cell
from state.result import Result, TestMetrics
from state.sample import Label
from state.settings import Metric

CellStatus = Literal["done", "failed", "open"]
"""failed: it ended without a test; open: it was not begun, or it waits to go on."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell's row."""

    name: str
    method: str
    dataset: str
    judge: str
    seed: int
    varied: str
    status: CellStatus
    reason: str = ""
    """Why it failed."""
    metric: str = ""
    value: float = 0.0
    """The search metric of the selected prompt on the test split, failures counted as wrong."""
    initial: float = 0.0
    """The same under p_0."""
    accuracy: float = 0.0
    """In the same reading."""
    coverage: float = 0.0
    samples: int = 0
    """In the test split."""
    calls: int = 0
    """Charged: its distinct requests, whoever answered them."""
    tokens: int = 0
    usd: float | None = 0.0
    """None where a price is not known."""
    rounds: int = 0
    """Updates of the judge prompt that were tried."""
    stopped: str = ""
    seconds: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether it has numbers."""
        return self.status == "done"


def read_cell(cell: Cell, reason: str | None = None) -> CellResult:
    """What its run directory says of a cell; `reason` says why it failed where that is known."""
    row = partial(CellResult, cell.name, cell.method, cell.dataset, cell.judge, cell.seed, cell.varied)
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
    return row(status="done", **_usage(result), **_numbers(result["test"], cell.settings.search.metric))


def read_answers(cell: Cell) -> dict[str, tuple[Label, Label | None]]:
    """By sample of the test split: its human label and the selected prompt's verdict, None where there is none."""
    rows = [row for row in RunRecord.read(cell.path).best.values() if row.split == "test"]
    return {row.id: (row.label, row.answer) for row in rows}


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
    }


def _numbers(test: TestMetrics, metric: Metric) -> dict[str, Any]:
    best = test["best"]
    return {
        "metric": metric,
        "value": value(best, metric),
        "initial": value(test["initial"], metric),
        "accuracy": value(best, "accuracy"),
        "coverage": best["coverage"],
        "samples": best["n"],
    }
