"""Table of several tasks: each method on each task."""

from collections.abc import Sequence

from blpo.runs.wording import metric_name
from evals.markdown_cells import escaped, number, table_line, test_cells
from evals.table import TableRow
from evals.task_rows import TaskRow

_HEADS = ("task", "metric", "method", "value", "sd", "above chance", "p_0", "p_0 above chance", "samples")
_TESTS = ("BLPO better by", "95 % interval", "p", "p (Holm)")
_WORDS = 3
"""Columns of words, aligned to the left."""


def task_table(rows: Sequence[TableRow]) -> str:
    """Return the tasks of a dataset and judge, task by task, with the methods of each."""
    names = list(dict.fromkeys(task.task for row in rows for task in row.by_task))
    has_tests = any(task.test for row in rows for task in row.by_task)
    heads = (*_HEADS, *(_TESTS if has_tests else ()))
    lines = [table_line(heads), table_line(["---"] * _WORDS + ["---:"] * (len(heads) - _WORDS))]
    for name in names:
        for row in rows:
            lines += [
                table_line([escaped(text) for text in _cells(row, task)[: len(heads)]])
                for task in row.by_task
                if task.task == name
            ]
    return "By task, mean over seeds.\n\n" + "\n".join(lines)


def _cells(row: TableRow, task: TaskRow) -> list[str]:
    return [
        task.task,
        metric_name(task.metric),
        " ".join(filter(None, (row.title, row.varied))),
        number(task.mean, 3),
        number(task.sd, 3),
        number(task.above_chance, 3),
        number(task.initial, 3),
        number(task.initial_above_chance, 3),
        str(task.samples),
        *test_cells(task.test),
    ]
