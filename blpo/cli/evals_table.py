"""The table of an experiment in the terminal."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blpo.cli.paths import short_path
from blpo.runs.wording import count, metric_name, single_line

_FILES = {
    "table.md": "the whole table, with the paper's numbers and how to read it",
    "table.csv": "the same as rows",
    "table.json": "the same with every cell, for programs",
    "figure.svg": "methods side by side, or lines over what was varied",
}


def print_table(content: Mapping[str, Any], folder: Path) -> None:
    """Print the rows of table.json and the paths of the files on stdout."""
    console = Console(highlight=False)
    for (dataset, judge), group in groupby(content["rows"], key=lambda row: (row["dataset"], row["judge"])):
        rows = list(group)
        if any(row["seeds"] for row in rows):
            console.print(_table(f"{dataset}, judge {judge}", rows))
            console.print()
    charged, spent = content["charged"]["calls"], content["spent"]["calls"]
    console.print(f"{count(charged)} calls charged, {count(spent)} really made: cells share answers.")
    console.print()
    for name, holds in _FILES.items():
        if (folder / name).exists():
            line = Text(short_path(folder / name), "cyan").append(f"  {holds}", "default")
            console.print(line, soft_wrap=True)


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=single_line(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="ellipsis")
    for name in (metric_name(rows[0]["metric"]), "sd", "seeds", "calls", "BLPO better by", "p (Holm)"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row), style="bold" if row["method"] == "blpo" else "")
    return table


def _cells(row: Mapping[str, Any]) -> list[str]:
    test = row["test"]
    name = " ".join(filter(None, (row["title"], row["varied"])))
    return [
        single_line(name),
        "-" if row["mean"] is None else f"{row['mean']:z.3f}",
        "" if row["sd"] is None else f"{row['sd']:.3f}",
        f"{row['seeds']}/{row['asked']}",
        "" if row["calls"] is None else count(round(row["calls"])),
        f"{test['difference']:+.3f}" if test else "",
        f"{test['p_holm']:.3f}" if test else "",
    ]
