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
            _print_notes(console, rows)
            console.print()
            if any(row["accuracy"] is not None for row in rows):
                console.print(_readings_table(rows))
                console.print()
            if any(row["by_task"] for row in rows):
                console.print(_tasks_table(rows))
                console.print()
            if any(row["first_rate"] is not None for row in rows):
                console.print(_pairs_table(rows))
                console.print()
    _print_reasons(console, content["rows"])
    charged, spent = content["charged"]["calls"], content["spent"]["calls"]
    console.print(f"{count(charged)} calls charged, {count(spent)} really made: cells share answers.")
    console.print()
    for name, holds in _FILES.items():
        if (folder / name).exists():
            line = Text(short_path(folder / name), "cyan").append(f"  {holds}", "default")
            console.print(line, soft_wrap=True)


def _print_notes(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the sources of sd, and the rules of the methods."""
    spread = next((row["spread"] for row in rows if row["method"] == "blpo"), rows[-1]["spread"])
    seeds = max((row["test"]["seeds"] for row in rows if row["test"]), default=0)
    paired = f" In brackets: 95 % interval over {'seeds and samples' if seeds > 1 else 'samples, of this run alone'}."
    console.print(Text(f"sd: over {spread or 'nothing'}.{paired if seeds else ''}", "dim"))
    titles: dict[str, list[str]] = {}
    for row in rows:
        if row["rule"]:
            titles.setdefault(row["rule"], []).append(row["title"])
    for rule, methods in titles.items():
        names = ", ".join(dict.fromkeys(methods))
        console.print(Text(single_line(f"{names}: {rule}"), "dim"))


def _print_reasons(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print why results are missing, once for each reason."""
    names: dict[str, list[str]] = {}
    for row in rows:
        for reason in row["reasons"]:
            names.setdefault(reason, []).append(row["title"])
    for reason, methods in names.items():
        console.print(Text(single_line(f"{', '.join(dict.fromkeys(methods))}: {reason}"), "yellow"))
    if names:
        console.print()


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    tests = ("BLPO better by", "p (Holm)") if any(row["test"] for row in rows) else ()
    heads = (metric_name(rows[0]["metric"]), "sd", "seeds", "calls", *tests)
    lines = [_cells(row)[: len(heads) + 1] for row in rows]
    table = Table(
        title=single_line(title),
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", no_wrap=True, overflow="ellipsis")
    for head, texts in zip(heads, list(zip(*lines, strict=True))[1:], strict=True):
        is_long = len(head) > max(map(len, texts))  # such a heading takes several lines, because numbers don't wrap
        table.add_column(head.replace(" ", "\n") if is_long else head, justify="right", no_wrap=True)
    for row, cells in zip(rows, lines, strict=True):
        table.add_row(*cells, style="bold" if row["method"] == "blpo" else "")
    return table


def _readings_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return macro F1, and F1 of the positive label, with failures as wrong and over the answered samples alone."""
    measured = ["macro_f1", *(["positive_f1"] if any(row["positive_f1"] for row in rows) else [])]
    names = {"macro_f1": "macro-F1", "positive_f1": single_line(f"F1 of {rows[0]['positive']}")}
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("failures as wrong / left out", no_wrap=True, overflow="ellipsis")
    for name in (*(names[each] for each in measured), "accuracy", "coverage"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        pairs = [f"{row[n]['strict']:.3f} / {row[n]['answered']:.3f}" if row[n] else "" for n in measured]
        others = ["" if row[name] is None else f"{row[name]:.3f}" for name in ("accuracy", "coverage")]
        table.add_row(_name(row), *pairs, *others, style="bold" if row["method"] == "blpo" else "")
    return table


def _pairs_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the figures of pairs; a cell is empty if a way to judge pairs does not tell the figure."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("pairs", no_wrap=True, overflow="ellipsis")
    names = ("accuracy", "consistent_accuracy", "first_rate")
    for name in names:
        table.add_column(metric_name(name).partition(" (")[0], justify="right", no_wrap=True)
    for row in rows:
        values = ["" if row[name] is None else f"{row[name]:.3f}" for name in names]
        table.add_row(_name(row), *values, style="bold" if row["method"] == "blpo" else "")
    return table


def _tasks_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the methods on each task, below a line with the task and its metric."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("by task", no_wrap=True, overflow="ellipsis")
    for name in ("value", "above\nchance", "BLPO better by", "p\n(Holm)"):
        table.add_column(name, justify="right", no_wrap=True)
    names = {task["task"]: task["metric"] for row in rows for task in row["by_task"]}
    for name, metric in names.items():
        table.add_row(single_line(f"{name}, {metric_name(metric)}"), style="dim")
        for row in rows:
            for task in row["by_task"]:
                if task["task"] == name:
                    table.add_row(*_task_cells(row, task), style="bold" if row["method"] == "blpo" else "")
    return table


def _task_cells(row: Mapping[str, Any], task: Mapping[str, Any]) -> list[str]:
    test = task["test"]
    return [
        f"  {_name(row)}",
        f"{task['mean']:z.3f}",
        f"{task['above_chance']:z.3f}",
        _difference(test) if test else "",
        _p(test["p_holm"]) if test else "",
    ]


def _name(row: Mapping[str, Any]) -> str:
    return single_line(" ".join(filter(None, (row["title"], row["varied"]))))


def _p(p_value: float) -> str:
    return "< .001" if p_value < 0.001 else f"{p_value:.3f}"


def _difference(test: Mapping[str, Any]) -> str:
    """Return the difference with its interval, as `-.05 [-.17, +.06]`."""
    value, low, high = (f"{each:+.2f}".replace("0.", ".", 1) for each in (test["difference"], *test["interval"]))
    return f"{value} [{low}, {high}]"


def _cells(row: Mapping[str, Any]) -> list[str]:
    test = row["test"]
    return [
        _name(row),
        "-" if row["mean"] is None else f"{row['mean']:z.3f}",
        "" if row["sd"] is None else f"{row['sd']:.3f}",
        f"{row['seeds']}/{row['asked']}",
        "" if row["calls"] is None else count(round(row["calls"])),
        _difference(test) if test else "",
        _p(test["p_holm"]) if test else "",
    ]
