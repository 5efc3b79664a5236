"""`blpo evals --estimate`: what an experiment would cost, as a table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from blpo.cli.wording import count, one_line

if TYPE_CHECKING:
    from evals.experiment_cost import Cost
    from evals.experiment_settings import EvalSettings


def print_estimate(settings: "EvalSettings", folder: Path, *, as_json: bool) -> int:
    """Print the estimate of each dataset and judge, and of all cells, on stdout."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from evals.experiment_cost import Cost, estimate_evals
    from evals.table_text import budget_in_words

    groups = estimate_evals(settings, folder)
    all_low = sum((group.low.times(group.cells) for group in groups), Cost(0, 0, 0.0))
    all_high = sum((group.high.times(group.cells) for group in groups), Cost(0, 0, 0.0))
    cells = sum(group.cells for group in groups)
    if as_json:
        total = {"cells": cells, "low": asdict(all_low), "high": asdict(all_high)}
        typer.echo(json.dumps({"groups": [asdict(group) for group in groups], "total": total}, indent=1))
        return 0
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("a cell of")
    for name in ("cells", "calls", "tokens", "US $"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in groups:
        name = one_line(f"{group.dataset}, judge {group.judge}")
        table.add_row(name, str(group.cells), *_ranges(group.low, group.high))
    table.add_row("all cells", str(cells), *_ranges(all_low, all_high), style="bold")
    console = Console(highlight=False)
    console.print(table)
    for note in (
        f"a range from a search that stops early to all rounds; budget of a cell: {budget_in_words(settings.budget)}",
        "every method is counted as BLPO; `none` uses far less",
        "charged to the cells: cells share answers, so that less is really spent",
        "the assumptions are those of blpo estimate, which shows one run by role",
    ):
        console.print(f"- {note}", soft_wrap=True)
    return 0


def _ranges(low: "Cost", high: "Cost") -> list[str]:
    def between(one: str, other: str) -> str:
        return one if one == other else f"{one} - {other}"

    usd = "?" if low.usd is None or high.usd is None else between(f"{low.usd:,.2f}", f"{high.usd:,.2f}")
    return [between(count(low.calls), count(high.calls)), between(count(low.tokens), count(high.tokens)), usd]
