"""`blpo runs`: the runs of a folder, and what became of them."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.reports.run_rows import RunRow

DEFAULT = Path("runs")
COLOURS = {"complete": "green", "running": "cyan", "waiting": "yellow", "failed": "red", "broken": "red"}


def runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds the runs.")] = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list on stdout, and nothing else.")] = False,
) -> int:
    """List runs: status, metric before and after, cost.

    The newest is the last. Numbers are of the test split; those of runs that were not tested are of validation, and
    marked (val). A run that can't be read is a line that says why.
    """
    from blpo.cli.error_lines import say
    from blpo.reports.run_rows import run_rows

    rows = [] if folder == DEFAULT and not folder.exists() else run_rows(folder)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False))
    elif rows:
        _print(rows)
    else:
        say(f"no runs in {folder}; blpo optimize begins one")
    return 0


def _print(rows: "list[RunRow]") -> None:
    from rich.console import Console
    from rich.text import Text

    from blpo.reports.wording import plain

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 10_000  # where lines are searched, not read: a line a run
    console.print(table(rows))
    for row in rows:
        if row.note:
            console.print(Text(f"{plain(row.run)}: {row.note}", "dim"), soft_wrap=True)


def table(rows: "list[RunRow]") -> "Table":
    """One row a run; dollars where any were spent, or are not known."""
    from rich.table import Table
    from rich.text import Text

    from blpo.reports.wording import count, dollars, metric_name, plain

    metrics = {row.metric for row in rows if row.metric}
    shared = metrics.pop() if len(metrics) == 1 else None
    paid = any(row.usd != 0 for row in rows)
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    made.add_column("run", overflow="fold")
    for name in ("status", metric_name(shared) if shared else "metric"):
        made.add_column(name, no_wrap=True)
    for name in ["rounds", "calls", *(["US $"] if paid else [])]:
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("when", no_wrap=True)
    for row in rows:
        named = f"{metric_name(row.metric)} " if row.metric and shared is None else ""
        cost = [str(row.rounds), count(row.calls), *([dollars(row.usd)] if paid else [])]
        known = cost if row.status != "broken" else ["" for _ in cost]
        made.add_row(
            plain(row.run), Text(row.status, COLOURS.get(row.status, "")), named + _change(row), *known, _when(row)
        )
    return made


def _change(row: "RunRow") -> str:
    if row.before is None or row.after is None:
        return ""
    return f"{row.before:z.3f} -> {row.after:z.3f}" + (" (val)" if row.split == "validation" else "")


def _when(row: "RunRow") -> str:
    """The minute it began, by the clock of this machine."""
    try:
        return f"{datetime.fromisoformat(row.created).astimezone():%Y-%m-%d %H:%M}" if row.created else ""
    except ValueError:
        return row.created or ""
