"""`blpo runs`: table of the runs of a folder."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.reports.run_rows import RunRow

_DEFAULT_FOLDER = Path("runs")
_COLOURS = {"complete": "green", "running": "cyan", "waiting": "yellow", "failed": "red", "broken": "red"}


def runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the runs.")] = _DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list on stdout, and nothing else.")] = False,
) -> int:
    """List runs: status, metric before and after, cost.

    The newest run is the last. Numbers are of the test split, or of validation, marked (val), for runs without a test.
    A line names the problem of a run that can't be read.
    """
    from blpo.cli.error_lines import say
    from blpo.reports.run_rows import run_rows

    rows = [] if folder == _DEFAULT_FOLDER and not folder.exists() else run_rows(folder)
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

    from blpo.runs.wording import plain

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 10_000  # for text search in files: a line per run
    console.print(runs_table(rows))
    for row in rows:
        if row.note:
            console.print(Text(f"{plain(row.run)}: {row.note}", "dim"), soft_wrap=True)


def runs_table(rows: "list[RunRow]") -> "Table":
    """Return a row per run; dollars only if some were spent or are unknown."""
    from rich.table import Table
    from rich.text import Text

    from blpo.runs.wording import count, dollars, metric_name, plain

    metrics = {row.metric for row in rows if row.metric}
    shared = metrics.pop() if len(metrics) == 1 else None
    paid = any(row.usd != 0 for row in rows)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("run", overflow="fold")
    for name in ("status", metric_name(shared) if shared else "metric"):
        table.add_column(name, no_wrap=True)
    for name in ["rounds", "calls", *(["US $"] if paid else [])]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("when", no_wrap=True)
    for row in rows:
        prefix = f"{metric_name(row.metric)} " if row.metric and shared is None else ""
        cost = [str(row.rounds), count(row.calls), *([dollars(row.usd)] if paid else [])]
        numbers = cost if row.status != "broken" else ["" for _ in cost]
        table.add_row(
            plain(row.run), Text(row.status, _COLOURS.get(row.status, "")), prefix + _change(row), *numbers, _when(row)
        )
    return table


def _change(row: "RunRow") -> str:
    if row.before is None or row.after is None:
        return ""
    return f"{row.before:z.3f} -> {row.after:z.3f}" + (" (val)" if row.split == "validation" else "")


def _when(row: "RunRow") -> str:
    """Return the minute of the start, in local time."""
    try:
        return f"{datetime.fromisoformat(row.created).astimezone():%Y-%m-%d %H:%M}" if row.created else ""
    except ValueError:
        return row.created or ""
