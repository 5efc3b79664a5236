"""`blpo evals --estimate`: table of the cost of an experiment."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from blpo.runs.wording import count, single_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from evals.experiment_cost import Cost, GroupEstimate
    from evals.experiment_settings import EvalSettings


def print_estimate(settings: "EvalSettings", folder: Path, *, as_json: bool) -> int:
    """Print the estimate of each dataset and judge, and of all cells, on stdout."""
    from rich.console import Console

    from evals.experiment_cost import estimate_evals
    from evals.experiment_cost_json import experiment_json
    from evals.table_reading import budget_in_words

    groups = estimate_evals(settings, folder)
    if as_json:
        typer.echo(json.dumps(experiment_json(groups), indent=1))
        return 0
    console = Console(highlight=False)
    console.print(_table(groups))
    for note in (
        f"a range from a search that stops early to all rounds; budget of a cell: {budget_in_words(settings)}",
        "a method without a line of its own is counted as BLPO; `none` uses far less",
        "charged to the cells: cells share answers, so that less is really spent",
        "the assumptions are those of blpo estimate, which shows one run by role",
    ):
        console.print(f"- {note}", soft_wrap=True)
    return 0


def _table(groups: "Sequence[GroupEstimate]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from evals.experiment_cost_json import experiment_total

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("a cell of")
    for name in ("cells", "calls", "tokens", "US $"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in groups:
        name = single_line(f"{group.dataset}, judge {group.judge}{', ' * bool(group.method)}{group.method}")
        table.add_row(name, str(group.cells), *_ranges(group.low, group.high))
    total = experiment_total(groups)
    table.add_row("all cells", str(total.cells), *_ranges(total.low, total.high), style="bold")
    return table


def _ranges(low: "Cost", high: "Cost") -> list[str]:
    usd = "?" if low.usd is None or high.usd is None else _range(f"{low.usd:,.2f}", f"{high.usd:,.2f}")
    return [_range(count(low.calls), count(high.calls)), _range(count(low.tokens), count(high.tokens)), usd]


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} - {high}"
