"""`blpo estimate`: calls, tokens and dollars of a search, before anything is paid for."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from blpo.cli.options import ConfigArgument, Overrides
from blpo.runs.wording import count, single_line

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.costs.call_sizes import Load
    from blpo.costs.estimate import RoleEstimate


def estimate(
    config: ConfigArgument = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")] = False,
) -> int:
    """Estimate the cost of a search: low, high, and at most.

    Prints calls, tokens and dollars by role. Reads settings, labels and image sizes; needs no model and sends nothing.
    """
    from blpo.config.settings_file import load_settings
    from blpo.costs.assumptions import assumptions
    from blpo.costs.estimate import estimate as estimate_roles
    from blpo.costs.estimate_json import estimate_json
    from blpo.costs.plan import plan_in_words, plan_of
    from blpo.costs.workload import workload_of

    settings = load_settings(config, overrides or [])
    work = workload_of(settings)
    roles, plans = estimate_roles(settings, work), plan_of(settings, work.sizes)
    notes = [
        *filter(None, [plan_in_words(settings, plans, work.sizes)]),
        *assumptions(settings, roles, work.named_images),
    ]
    limit = settings.limits.calls
    if as_json:
        typer.echo(json.dumps(estimate_json(roles, notes, plans, limit), indent=1, ensure_ascii=False))
        return 0
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(roles, limit))
    for note in notes:
        console.print(f"- {single_line(note)}", markup=False, soft_wrap=not console.is_terminal)
    return 0


def _table(roles: "dict[str, RoleEstimate]", limit: int | None) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from blpo.costs.assumptions import CASES
    from blpo.costs.estimate import total

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("calls", "at most", "tokens in", "tokens out", "US $"):
        table.add_column(name, justify="right", no_wrap=True)
    for role, own in roles.items():
        table.add_row(role, *_cells([(load, load.usd(own.price)) for load in (own.low, own.high, own.most)]))
    table.add_row("total", *_cells([total(roles, case, limit) for case in CASES]), style="bold")
    return table


def _cells(cases: "list[tuple[Load, float | None]]") -> list[str]:
    (low, low_usd), (high, high_usd), (most, _) = cases
    return [
        _range(count(low.calls), count(high.calls)),
        count(most.calls),
        _range(count(low.input_tokens), count(high.input_tokens)),
        _range(count(low.output_tokens), count(high.output_tokens)),
        "?" if low_usd is None or high_usd is None else _range(f"{low_usd:.2f}", f"{high_usd:.2f}"),
    ]


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} - {high}"
