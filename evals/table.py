"""Table of an experiment: a row for each method, dataset, judge and varied setting, with paired tests of BLPO."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean, stdev

from blpo.metrics.holm import holm
from evals.cell_results import CellResult, Readings
from evals.cells import Cell
from evals.judge_comparisons import JudgeComparison, Place, comparisons_of, corrected_comparisons
from evals.methods import METHODS
from evals.outcomes import Outcome, outcomes
from evals.paired_tests import YARDSTICK, PairedTest, paired_tests
from evals.published import Published, published
from evals.splits import Spread, spread_of
from evals.task_rows import TaskRow, corrected_tasks, task_rows


@dataclass(frozen=True, slots=True)
class TableRow:
    """A method on a dataset with a judge, over all seeds. Means are over the seeds with a result."""

    method: str
    title: str
    dataset: str
    judge: str
    varied: str
    rule: str
    """Selection, adoption, patience and batch of the method; empty if nothing is proposed."""
    metric: str
    spread: Spread
    """Sources of `sd`."""
    seeds: int
    """Number of seeds with a result."""
    asked: int
    """Number of seeds of the experiment."""
    mean: float | None
    """Metric of the selected prompt on the test split, with failures counted as wrong."""
    sd: float | None
    """Standard deviation over seeds (n - 1); None for fewer than two seeds."""
    initial: float | None
    """Metric under p_0."""
    accuracy: float | None
    consistent_accuracy: float | None
    """For pairs: the share that is right in both orders; for two ratings, without equal ratings."""
    first_rate: float | None
    """For pairs: the share of answers "first"; None for two ratings."""
    macro_f1: Readings | None
    """Macro F1, in both readings."""
    positive: str | None
    """`task.positive`."""
    positive_f1: Readings | None
    """F1 of `task.positive` in both readings; None for a task without a positive label."""
    coverage: float | None
    samples: int
    """Number of test samples of all seeds together."""
    calls: float | None
    """Mean calls that a cell is charged."""
    most_calls: int
    """Maximum calls that a cell is charged."""
    tokens: float | None
    usd: float | None
    """None if a price is not known."""
    rounds: float | None
    test: PairedTest | None
    """Test of BLPO against the row; None for BLPO, and if no seed has results of both methods."""
    paper: Published | None
    reasons: tuple[str, ...]
    """Distinct reasons of failed and open cells, with their seeds."""
    judge_calls: float | None = None
    """Mean calls of the judge that a cell is charged."""
    by_task: tuple[TaskRow, ...] = ()
    """Results by task; empty for a single task."""
    against: tuple[JudgeComparison, ...] = ()
    """Tests against other rows of the dataset, between prompted and trained judges."""


def table_rows(cells: Sequence[Cell], results: Sequence[CellResult], trained: Collection[str] = ()) -> list[TableRow]:
    """Return the rows by dataset and judge, then in the order of methods. `results[i]` is the result of `cells[i]`.

    `trained` are the names of trained judges, which are compared with the other judges.
    """
    groups: dict[Place, list[Outcome]] = {}
    for outcome in outcomes(cells, results):
        cell = outcome.cell
        groups.setdefault((cell.dataset, cell.judge, cell.varied, cell.method), []).append(outcome)
    rows = []
    for place, group in groups.items():
        dataset, judge, varied, method = place
        yardstick = groups.get((dataset, judge, varied, YARDSTICK), []) if method != YARDSTICK else []
        rows.append(_row(group, paired_tests(group, yardstick), comparisons_of(place, groups, trained)))
    return _corrected(sorted(rows, key=_place(cells)))


def _place(cells: Sequence[Cell]) -> Callable[[TableRow], tuple[int, ...]]:
    orders = [
        list(dict.fromkeys(values))
        for values in zip(*((c.dataset, c.judge, c.varied, c.method) for c in cells), strict=True)
    ]
    return lambda row: tuple(
        order.index(value)
        for order, value in zip(orders, (row.dataset, row.judge, row.varied, row.method), strict=True)
    )


def _row(group: Sequence[Outcome], tests: Mapping[str, PairedTest], against: tuple[JudgeComparison, ...]) -> TableRow:
    cell = group[0].cell
    done = [outcome.result for outcome in group if outcome.result.is_done]
    costs = [result.usd for result in done]
    values = [result.value for result in done]
    return TableRow(
        method=cell.method,
        title=METHODS[cell.method].title,
        dataset=cell.dataset,
        judge=cell.judge,
        varied=cell.varied,
        rule=METHODS[cell.method].rule(cell.settings),
        metric=cell.settings.search.metric,
        spread=spread_of(cell.settings),
        seeds=len(done),
        asked=len(group),
        mean=_mean(values),
        sd=stdev(values) if len(values) > 1 else None,
        initial=_mean([result.initial for result in done]),
        accuracy=_mean([result.accuracy for result in done if result.accuracy is not None]),
        consistent_accuracy=_mean_known([result.consistent_accuracy for result in done]),
        first_rate=_mean_known([result.first_rate for result in done]),
        macro_f1=_mean_readings([result.macro_f1 for result in done]),
        positive=cell.settings.task.positive,
        positive_f1=_mean_readings([result.positive_f1 for result in done]),
        coverage=_mean([result.coverage for result in done]),
        samples=sum(result.samples for result in done),
        calls=_mean([result.calls for result in done]),
        most_calls=max((result.calls for result in (each.result for each in group)), default=0),
        tokens=_mean([result.tokens for result in done]),
        usd=None if None in costs else _mean([cost or 0.0 for cost in costs]),
        rounds=_mean([result.rounds for result in done]),
        test=tests.get(""),
        paper=published(cell.method, cell.dataset, cell.judge) if not cell.varied else None,
        reasons=_reasons([outcome.result for outcome in group]),
        judge_calls=_mean([result.judge_calls for result in done]),
        by_task=task_rows(done, tests),
        against=against,
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _mean_known(values: Sequence[float | None]) -> float | None:
    return _mean([value for value in values if value is not None])


def _mean_readings(values: Sequence[Readings | None]) -> Readings | None:
    """Return the mean of both readings over the seeds with a value; None without a value."""
    pairs = [value for value in values if value is not None]
    if not pairs:
        return None
    return Readings(fmean(pair.strict for pair in pairs), fmean(pair.answered for pair in pairs))


def _reasons(results: Sequence[CellResult]) -> tuple[str, ...]:
    seeds_by_reason: dict[str, list[int]] = {}
    for result in results:
        if not result.is_done:
            seeds_by_reason.setdefault(result.reason or "not run yet", []).append(result.seed)
    return tuple(
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}: {reason}"
        for reason, seeds in seeds_by_reason.items()
    )


def _corrected(rows: list[TableRow]) -> list[TableRow]:
    """Correct the p-values over the methods of each dataset and judge, and over the comparisons of each dataset.

    The rows are in the order of the table.
    """
    corrected = []
    for _, group in groupby(rows, key=lambda row: (row.dataset, row.judge)):
        part = list(group)
        adjusted = iter(holm([row.test.p_value for row in part if row.test]))
        part = [replace(row, test=replace(row.test, p_holm=next(adjusted))) if row.test else row for row in part]
        by_task = corrected_tasks([row.by_task for row in part])
        corrected += [replace(row, by_task=tasks) for row, tasks in zip(part, by_task, strict=True)]
    return [row for _, group in groupby(corrected, key=lambda row: row.dataset) for row in _compared(list(group))]


def _compared(rows: Sequence[TableRow]) -> list[TableRow]:
    against = corrected_comparisons([row.against for row in rows])
    return [replace(row, against=own) for row, own in zip(rows, against, strict=True)]
