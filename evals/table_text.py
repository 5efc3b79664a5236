"""Table of an experiment as Markdown: setup, numbers, missing cells, and how to read the numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from blpo.runs.wording import metric_name
from evals.cell_results import Readings
from evals.experiment_settings import EvalSettings
from evals.markdown_cells import escaped, interval_text, number, of_test, p_text, table_line
from evals.published import Published
from evals.table import TableRow
from evals.table_grid import grid_table
from evals.table_mt_rl import mt_rl_tables
from evals.table_reading import budget_in_words, reading_notes
from evals.table_tasks import task_table
from evals.transfer import TransferRow


def markdown(
    evals: EvalSettings,
    rows: Sequence[TableRow],
    charged: Mapping[str, float | None],
    spent: Mapping[str, float | None],
    transfer: Sequence[TransferRow] = (),
) -> str:
    """Return the whole page."""
    parts = [f"# Methods under an equal budget{f' ({evals.preset})' if evals.preset else ''}", _setup(evals)]
    for (dataset, judge), group in groupby(rows, key=lambda row: (row.dataset, row.judge)):
        section = list(group)
        parts.append(f"## {escaped(dataset)}, judge {escaped(judge)}")
        if any(values for _, values in evals.grid):
            parts.append(grid_table(evals, section))
        parts.append(_table(section))
        if any(row.by_task for row in section):
            parts.append(task_table(section))
    if evals.preset == "mt-rl":
        parts.append(mt_rl_tables(evals.mt_rl, rows, transfer))
    if reasons := list(_reasons(rows)):
        parts += ["## What is missing", "\n".join(reasons)]
    parts += ["## How to read it", reading_notes(evals, rows, charged, spent)]
    return "\n\n".join(parts) + "\n"


def _setup(evals: EvalSettings) -> str:
    judges = [
        f"- judge {escaped(judge.name)}: {judge.models.judge_name}; verbalizer {judge.models.of('verbalizer').name};"
        f" optimizer {judge.models.of('optimizer').name}"
        for judge in evals.judges
    ]
    search = evals.search
    lines = [
        f"- budget of a cell: {budget_in_words(evals)}",
        f"- seeds: {', '.join(map(str, evals.seeds))}",
        *judges,
        f"- search of BLPO: preset {search.preset}, {search.trials} trials, {search.outer_rounds} rounds,"
        f" {search.inner_steps} inner steps, {search.batch_size} cases a batch; every other"
        " method has the settings in its row",
    ]
    return "\n".join(lines)


_WORDS = {"method", "varied", "rule", "sd over"}
"""Columns of words, aligned to the left."""


class _Column(NamedTuple):
    """A column of the table: heading, and text of a row."""

    head: str
    text: Callable[[TableRow], str]


def _table(rows: Sequence[TableRow]) -> str:
    columns = list(_columns(rows))
    rules = ["---" if column.head in _WORDS else "---:" for column in columns]
    lines = [table_line([column.head for column in columns]), table_line(rules)]
    lines += [table_line([escaped(column.text(row)) for column in columns]) for row in rows]
    title = f"Metric: {metric_name(rows[0].metric)} on the test split, mean over seeds."
    return f"{title}\n\n" + "\n".join(lines)


def _columns(rows: Sequence[TableRow]) -> Iterable[_Column]:
    yield _Column("method", lambda row: row.title)
    if any(row.varied for row in rows):
        yield _Column("varied", lambda row: row.varied)
    yield _Column("rule", lambda row: row.rule)
    yield _Column(metric_name(rows[0].metric), lambda row: number(row.mean, 3))
    yield _Column("sd", lambda row: number(row.sd, 3))
    yield _Column("sd over", lambda row: row.spread or "nothing")
    if any(row.macro_f1 for row in rows):
        yield _Column("macro F1, strict / answered", lambda row: _readings(row.macro_f1))
    if any(row.positive_f1 for row in rows):
        yield _Column(
            f"F1 of {escaped(str(rows[0].positive))}, strict / answered", lambda row: _readings(row.positive_f1)
        )
    if any(row.accuracy is not None for row in rows):
        yield _Column("accuracy", lambda row: number(row.accuracy, 3))
    if any(row.first_rate is not None for row in rows):
        yield _Column("consistent accuracy", lambda row: number(row.consistent_accuracy, 3))
        yield _Column('share of "first"', lambda row: number(row.first_rate, 3))
    yield _Column("coverage", lambda row: number(row.coverage, 3))
    yield _Column("seeds", lambda row: f"{row.seeds}/{row.asked}")
    yield _Column("samples", lambda row: str(row.samples))
    yield _Column("calls", lambda row: number(row.calls, 0))
    if any(row.by_task for row in rows):
        yield _Column("of the judge", lambda row: number(row.judge_calls, 0))
    yield _Column("tokens", lambda row: number(row.tokens, 0))
    yield _Column("US $", lambda row: "?" if row.usd is None and row.seeds else number(row.usd, 2))
    yield _Column("rounds", lambda row: number(row.rounds, 1))
    if any(row.test for row in rows):
        yield _Column("BLPO better by", lambda row: of_test(row.test, lambda test: f"{test.difference:+.3f}"))
        yield _Column("95 % interval", lambda row: of_test(row.test, interval_text))
        yield _Column("p", lambda row: of_test(row.test, lambda test: p_text(test.p_value)))
        yield _Column("p (Holm)", lambda row: of_test(row.test, lambda test: p_text(test.p_holm)))
    if any(row.paper for row in rows):
        yield _Column("paper's F1", lambda row: _printed(row.paper, lambda paper: paper.f1))
        yield _Column("paper's accuracy", lambda row: _printed(row.paper, lambda paper: paper.accuracy))


def _reasons(rows: Sequence[TableRow]) -> Iterable[str]:
    for row in rows:
        where = ", ".join(filter(None, (row.title, row.dataset, row.judge, row.varied)))
        yield from (f"- {escaped(where)}: {escaped(reason)}" for reason in row.reasons)


def _readings(value: Readings | None) -> str:
    return "" if value is None else f"{value.strict:.3f} / {value.answered:.3f}"


def _printed(paper: Published | None, number: Callable[[Published], float | None]) -> str:
    """Return a number of the paper: `?` if the paper has the result and the number is not known here."""
    if paper is None:
        return ""
    value = number(paper)
    if value is None and paper.f1 is not None:
        return ""  # the paper gives F1 alone
    return "?" if value is None else f"{value:.2f}"
