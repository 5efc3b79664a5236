"""Results of a method on each of several tasks, over all seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from blpo.metrics.holm import holm
from blpo.metrics.task_codes import above_chance
from evals.cell_results import CellResult
from evals.paired_tests import PairedTest


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A method on one of several tasks. Means are over the seeds with a result."""

    task: str
    metric: str
    """The task's own metric."""
    mean: float
    """The metric of the selected prompt on the test split, with failures counted as wrong."""
    sd: float | None
    """Standard deviation over seeds (n - 1); None for fewer than two seeds."""
    initial: float
    """The metric under p_0."""
    above_chance: float
    """Mean of (metric - chance) / (1 - chance)."""
    initial_above_chance: float
    samples: int
    """Number of test samples of all seeds together."""
    test: PairedTest | None
    """Test of BLPO on this task; None for BLPO, and if no seed has results of both methods."""


def task_rows(done: Sequence[CellResult], tests: Mapping[str, PairedTest]) -> tuple[TaskRow, ...]:
    """Return a row for each task; no row for a single task, and without results."""
    names = list(dict.fromkeys(name for result in done for name in result.by_task))
    return tuple(_row(name, done, tests.get(name)) for name in names)


def corrected_tasks(rows: Sequence[tuple[TaskRow, ...]]) -> list[tuple[TaskRow, ...]]:
    """Correct the p-values over the tasks of all methods, by Holm's method."""
    adjusted = iter(holm([row.test.p_value for tasks in rows for row in tasks if row.test]))
    return [
        tuple(replace(row, test=replace(row.test, p_holm=next(adjusted))) if row.test else row for row in tasks)
        for tasks in rows
    ]


def _row(name: str, done: Sequence[CellResult], test: PairedTest | None) -> TaskRow:
    results = [result.by_task[name] for result in done if name in result.by_task]
    values = [result.value for result in results]
    return TaskRow(
        task=name,
        metric=results[0].metric,
        mean=fmean(values),
        sd=stdev(values) if len(values) > 1 else None,
        initial=fmean(result.initial for result in results),
        above_chance=fmean(result.above_chance for result in results),
        initial_above_chance=fmean(above_chance(result.initial, result.chance) for result in results),
        samples=sum(result.samples for result in results),
        test=test,
    )
