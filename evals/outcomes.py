"""Outcome of a method under one seed: of one cell, or of the cells of all tasks together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from blpo.runs.verdict_rows import VerdictRow
from evals.cell_results import CellResult, CellStatus, read_answers
from evals.cells import Cell


@dataclass(frozen=True, slots=True)
class Outcome:
    """Cells of a method under one seed, and their result as one."""

    cells: tuple[Cell, ...]
    """One cell, or one for each task."""
    result: CellResult

    @property
    def cell(self) -> Cell:
        """The first cell: method, dataset, judge, seed and search are those of all cells."""
        return self.cells[0]

    def answers(self) -> dict[str, VerdictRow]:
        """Return the verdict under the selected prompt by test sample."""
        return {name: row for cell in self.cells for name, row in read_answers(cell).items()}


def outcomes(cells: Sequence[Cell], results: Sequence[CellResult]) -> list[Outcome]:
    """Return the outcomes in the order of the cells. `results[i]` is the result of `cells[i]`."""
    groups: dict[tuple[str, str, str, str, int], list[tuple[Cell, CellResult]]] = {}
    for cell, result in zip(cells, results, strict=True):
        key = (cell.dataset, cell.judge, cell.varied, cell.method, cell.seed)
        groups.setdefault(key, []).append((cell, result))
    return [
        Outcome(tuple(cell for cell, _ in group), joined([result for _, result in group])) for group in groups.values()
    ]


def joined(results: Sequence[CellResult]) -> CellResult:
    """Return the results of the cells of all tasks as one result; a single result as it is.

    The value is the mean over tasks above chance; calls, tokens, dollars, samples and seconds are sums.
    """
    first, status = results[0], _status(results)
    if len(results) == 1:
        return first
    costs = [result.usd for result in results]
    whole = replace(
        first,
        task="",
        status=status,
        reason="; ".join(f"{result.task}: {result.reason}" for result in results if result.reason),
        calls=sum(result.calls for result in results),
        judge_calls=sum(result.judge_calls for result in results),
        tokens=sum(result.tokens for result in results),
        usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        rounds=max(result.rounds for result in results),
        seconds=sum(result.seconds for result in results),
        stopped=", ".join(dict.fromkeys(result.stopped for result in results if result.stopped)),
    )
    if status != "done":
        return whole
    samples = sum(result.samples for result in results)
    return replace(
        whole,
        value=fmean(result.value for result in results),
        initial=fmean(result.initial for result in results),
        coverage=sum(result.coverage * result.samples for result in results) / samples,
        samples=samples,
        by_task={name: task for result in results for name, task in result.by_task.items()},
    )


def _status(results: Sequence[CellResult]) -> CellStatus:
    statuses = {result.status for result in results}
    return "failed" if "failed" in statuses else "open" if "open" in statuses else "done"
