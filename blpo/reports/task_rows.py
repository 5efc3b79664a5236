"""Rows of the table by task in terminal, report, comparison and notebook."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from blpo.metrics.readings import strict_reading
from blpo.runs.wording import figure, metric_name, probability
from state.metrics import SplitMetrics
from state.result import Result

MEAN = "all, above chance"
"""Name of the last row: the mean over tasks of (value - chance) / (1 - chance)."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """The metric of one task under the first and the selected prompt, with failures as wrong."""

    name: str
    metric: str
    """Name of the metric for people; empty for the mean over tasks."""
    n: int
    before: float | None
    """None if undefined."""
    after: float | None
    chance: float
    """The metric of uniform guessing."""
    p_value: float | None = None
    """p-value of the task's own test; None for a split without a test."""
    interval: tuple[float, float] | None = None
    """95 % interval of the difference; None for a split without a test."""

    @property
    def change(self) -> str:
        """Difference in words: `=` for equal values, empty if a value is undefined."""
        if self.before == self.after:
            return "="
        return "" if self.before is None or self.after is None else f"{self.after - self.before:+.3f}"

    @property
    def has_fallen(self) -> bool:
        """True if the selected prompt has the lower value."""
        return (self.after or 0.0) < (self.before or 0.0)

    @property
    def p(self) -> str:
        """The p-value without `p =`; empty without a test."""
        return "" if self.p_value is None else probability(self.p_value).removeprefix("p ").removeprefix("= ")

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """First, selected, change, chance and p as texts."""
        return figure(self.before), figure(self.after), self.change, figure(self.chance), self.p


def task_rows(measured: SplitMetrics | None) -> list[TaskRow]:
    """Return a row for every task, and a last row for the mean over tasks; none for a single task."""
    if measured is None or "by_task" not in measured["best"]:
        return []
    rows = list(_rows(measured))
    before, after = (strict_reading(measured[side], "above_chance") for side in ("initial", "best"))
    return [*rows, TaskRow(MEAN, "", measured["best"]["n"], before, after, 0.0, *_test_of(measured))]


def of_result(result: Result) -> list[TaskRow]:
    """Return the rows of the test, or of validation for a run without a test."""
    return task_rows(result["test"] or result["validation"])


def fallen(rows: Iterable[TaskRow]) -> list[TaskRow]:
    """Return the tasks that have a lower value under the selected prompt."""
    return [row for row in rows if row.metric and row.has_fallen]


def _rows(measured: SplitMetrics) -> Iterator[TaskRow]:
    tests: Mapping[str, SplitMetrics] = measured.get("by_task", {})  # type: ignore[assignment]
    for name, after in measured["best"]["by_task"].items():
        before = measured["initial"]["by_task"][name]["value"]
        metric, tested = metric_name(after["metric"]), _test_of(tests.get(name, {}))
        yield TaskRow(name, metric, after["n"], before, after["value"], after["chance"], *tested)


def _test_of(measured: Mapping[str, object]) -> tuple[float | None, tuple[float, float] | None]:
    p_value, interval = measured.get("p_value"), measured.get("difference_ci95")
    if not isinstance(p_value, float | int) or not isinstance(interval, list):
        return None, None
    return float(p_value), (float(interval[0]), float(interval[1]))
