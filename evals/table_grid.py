"""Table of settings that cells vary together: one setting across, the others down."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from blpo.runs.wording import metric_name
from evals.cells import varied
from evals.experiment_settings import EvalSettings
from evals.figure_data import AXES
from evals.markdown_cells import escaped, table_line
from evals.table import TableRow


def grid_table(evals: EvalSettings, rows: Sequence[TableRow]) -> str:
    """Return a table for each method: mean and standard deviation over seeds, the best of a column in bold."""
    by_place = {(row.method, row.varied): row for row in rows}
    titles = dict.fromkeys((row.method, row.title) for row in rows)
    return "\n\n".join("\n".join(_of_method(evals, method, title, by_place)) for method, title in titles)


def _of_method(
    evals: EvalSettings, method: str, title: str, by_place: Mapping[tuple[str, str], TableRow]
) -> Iterable[str]:
    axes = {name: values for name, values in evals.grid if values}
    *down, across = axes
    columns = [
        [
            by_place.get((method, varied(dict(zip(axes, (*place, value), strict=True)))))
            for place in product(*(axes[name] for name in down))
        ]
        for value in axes[across]
    ]
    best = [max((row.mean for row in column if row and row.mean is not None), default=None) for column in columns]
    names = {**AXES, "error_batch": "cases a batch"} if evals.search.trials == "pooled" else AXES
    first = next(row for row in by_place.values() if row.method == method)
    by = ", ".join(names[name] for name in axes)
    yield f"{escaped(title)}: {metric_name(first.metric)} (sd over seeds), by {by}."
    yield ""
    yield table_line([*(names[name] for name in down), *(f"{value:,} {names[across]}" for value in axes[across])])
    yield table_line(["---:"] * (len(down) + len(columns)))
    yield table_line(["initial prompt", *[""] * (len(down) - 1), *map(_initial, columns)])
    for number, place in enumerate(product(*(axes[name] for name in down))):
        cells = [_cell(column[number], top) for column, top in zip(columns, best, strict=True)]
        yield table_line([*map(str, place), *cells])


def _initial(column: Sequence[TableRow | None]) -> str:
    values = [row.initial for row in column if row and row.initial is not None]
    return f"{values[0]:.3f}" if values else ""


def _cell(row: TableRow | None, best: float | None) -> str:
    if row is None or row.mean is None:
        return "no result"
    text = f"{row.mean:.3f}" if row.sd is None else f"{row.mean:.3f} ({row.sd:.3f})"
    return f"**{text}**" if row.mean == best else text
