"""`blpo compare`: several runs on one page, tested on their common samples."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.reports.comparison import Comparison
    from blpo.reports.comparison_slices import ComparedSlice
    from blpo.reports.comparison_tasks import ComparedTask


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run directories; the others are tested against the first."),
    ],
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Compare by one of several tasks, also with a run of that task."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("compare.html"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON on stdout.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> int:
    """Compare runs over the same samples: one page, and a table.

    A paired test compares the selected prompts with the first run, on the test samples of all runs. With three runs or
    more the p-values are adjusted (Holm).
    """
    from blpo.cli.error_lines import say
    from blpo.cli.paths import short_path
    from blpo.reports.compare_page import comparison_headline, write_comparison
    from blpo.reports.comparison_json import comparison_json

    comparison = asyncio.run(write_comparison([run.absolute() for run in runs], out, task))
    if as_json:
        typer.echo(json.dumps(comparison_json(comparison), indent=1, ensure_ascii=False))
    else:
        _print(comparison, comparison_headline(comparison))
    say(f"wrote {short_path(out)}")
    if show:
        import webbrowser

        webbrowser.open(out.absolute().as_uri())
    return 0


def _print(comparison: "Comparison", headline: str) -> None:
    from rich.console import Console

    from blpo.reports.comparison_slices import ceiling_sentences, compared_slices
    from blpo.reports.comparison_tasks import compared_tasks
    from blpo.runs.wording import metric_name, single_line

    console = Console(highlight=False)
    console.print(_table(comparison))
    console.print()
    sentences = [f"{name}: {sentence}" for name, sentence in ceiling_sentences(comparison)]
    for line in (*comparison.notes, f"{headline}.", *sentences):
        console.print(single_line(line), markup=False, soft_wrap=not console.is_terminal)
    if tasks := compared_tasks(comparison):
        console.print()
        console.print(_task_table(comparison, tasks))
    for column, rows in compared_slices(comparison).items():
        metric = metric_name(comparison.metric)
        console.print(f"\n{metric} by {single_line(column)}, each run on its own test split (samples)", markup=False)
        console.print(_slice_table(comparison, rows))


def _table(comparison: "Comparison") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from blpo.metrics.readings import strict_reading
    from blpo.runs.wording import figure, in_groups, metric_name, probability, single_line

    several = len(comparison.entries) > 2
    size = in_groups(len(comparison.shared), comparison.groups, "shared test sample")
    title = f"{metric_name(comparison.metric)} on {size}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("run", overflow="fold")
    for column in [
        "first",
        "selected",
        "difference",
        "95 % interval",
        "paired test",
        *(["adjusted"] if several else []),
    ]:
        table.add_column(column, justify="right", no_wrap=True)
    for entry in comparison.entries:
        cells = [figure(strict_reading(each, comparison.metric)) for each in (entry.initial, entry.metrics)]
        if (against := entry.against) is not None:
            cells += [f"{against.difference:+.3f}", f"{against.low:+.3f} to {against.high:+.3f}"]
            cells += [probability(against.p_value), *([probability(against.adjusted)] if several else [])]
        table.add_row(Text(single_line(entry.name)), *cells)
    return table


def _task_table(comparison: "Comparison", tasks: "list[ComparedTask]") -> "Table":
    """Return the metric of each task under the selected prompts."""
    from rich.table import Table
    from rich.text import Text

    from blpo.runs.wording import figure, single_line

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("task", "metric"):
        table.add_column(name, overflow="fold")
    table.add_column("chance", justify="right")
    for entry in comparison.entries:
        table.add_column(Text(single_line(entry.name)), justify="right", overflow="fold")
    for row in tasks:
        table.add_row(Text(row.name), Text(row.metric), figure(row.chance), *map(figure, row.values))
    return table


def _slice_table(comparison: "Comparison", rows: "list[ComparedSlice]") -> "Table":
    """Return the search metric of the selected prompts by the values of a column, with the number of samples."""
    from rich.table import Table
    from rich.text import Text

    from blpo.runs.wording import figure, single_line

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    for entry in comparison.entries:
        table.add_column(Text(single_line(entry.name)), justify="right", overflow="fold")
    for row in rows:
        cells = ["" if cell is None else f"{figure(cell['best'])} ({cell['n']})" for cell in row.cells]
        table.add_row(Text(single_line(row.value)), *cells)
    return table
