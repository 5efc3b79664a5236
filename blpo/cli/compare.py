"""`blpo compare`: several runs on one page, tested on their common samples."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.reports.comparison import Comparison


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run directories; the others are tested against the first."),
    ],
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

    comparison = asyncio.run(write_comparison([run.absolute() for run in runs], out))
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

    from blpo.runs.wording import single_line

    console = Console(highlight=False)
    console.print(_table(comparison))
    console.print()
    for line in (*comparison.notes, f"{headline}."):
        console.print(single_line(line), markup=False, soft_wrap=not console.is_terminal)


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
