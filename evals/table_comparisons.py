"""Tables of the preset mt-rl that compare prompted and trained judges pair by pair: all tasks together, and by task."""

from collections.abc import Iterator, Sequence

from blpo.runs.wording import metric_name
from evals.experiment_settings import MtRlSettings
from evals.judge_comparisons import JudgeComparison
from evals.markdown_cells import escaped, table_line, test_cells
from evals.mt_rl_cells import dollars, row_name
from evals.table import TableRow

_TESTS = ("better by", "95 % interval", "p", "p (Holm)")
_WHOLE = ("row", "against", *_TESTS, "seeds", "samples", "US $ of the row", "US $ of the other")
_BY_TASK = ("task", "row", "against", *_TESTS)
_READING = (
    "Better by: {metric} of the row minus that of the other row, mean over seeds, on the same test samples. The test is"
    " paired by seed and by sample, as below. Holm: corrected over the comparisons of a dataset. US $: search and test"
    " of a cell + training."
)
_READING_BY_TASK = "By task, in the task's own metric. Holm: corrected over all tasks of all comparisons of a dataset."


def comparison_tables(settings: MtRlSettings, rows: Sequence[TableRow]) -> list[str]:
    """Return the parts of the page about all comparisons; nothing without a comparison."""
    compared = [(row, each) for row in rows for each in row.against]
    if not compared:
        return []
    reading = _READING.format(metric=metric_name(compared[0][0].metric))
    costs = {_place(row): " + ".join(dollars(settings, row)) for row in rows}
    whole = [_whole(settings, row, each, costs) for row, each in compared]
    parts = ["## Prompted and trained judges, pair by pair", reading, _table(_WHOLE, words=2, lines=whole)]
    if by_task := list(_by_task(settings, compared)):
        parts += [_READING_BY_TASK, _table(_BY_TASK, words=3, lines=by_task)]
    return parts


def _whole(
    settings: MtRlSettings, row: TableRow, other: JudgeComparison, costs: dict[tuple[str, ...], str]
) -> list[str]:
    names = [row_name(settings, row), row_name(settings, other)]
    sizes = [str(other.test.seeds), str(other.test.samples)]
    place = (row.dataset, other.judge, row.varied, other.method)
    return [*names, *test_cells(other.test), *sizes, costs[_place(row)], costs[place]]


def _by_task(settings: MtRlSettings, compared: Sequence[tuple[TableRow, JudgeComparison]]) -> Iterator[list[str]]:
    """Yield the lines task by task, with all comparisons of each."""
    for task in dict.fromkeys(task for _, other in compared for task in other.by_task):
        for row, other in compared:
            if task in other.by_task:
                names = [row_name(settings, row), row_name(settings, other)]
                yield [escaped(task), *names, *test_cells(other.by_task[task])]


def _table(heads: Sequence[str], words: int, lines: Sequence[Sequence[str]]) -> str:
    """Return a table whose first columns, so many as `words`, are aligned to the left."""
    rules = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(table_line(line) for line in (heads, rules, *lines))


def _place(row: TableRow) -> tuple[str, ...]:
    return row.dataset, row.judge, row.varied, row.method
