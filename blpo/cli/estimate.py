"""`blpo estimate`: what a search will cost, before anything is paid for."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blpo.cli.options import Config, Overrides
from blpo.cli.wording import count, one_line

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.costs.call_sizes import Load
    from blpo.costs.estimate import RoleEstimate
    from state.settings import Settings

    Roles = dict[str, RoleEstimate]

CASES = {
    "low": "stops after search.patience rounds without a gain; prompts as long as the initial ones, short replies",
    "high": "all rounds, each adopting a new prompt; prompts that grow to search.max_prompt_tokens, long replies",
    "most": "the same with the longest prompts from the start and every repair used up; no run issues more calls",
}


def estimate(
    config: Config = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")] = False,
) -> int:
    """Say what a search will cost: low, high, and at most.

    Calls, tokens and dollars by role. Settings, labels and image sizes are looked at; no model is needed, and nothing
    is sent anywhere.
    """
    from blpo.config.settings_file import load_settings
    from blpo.costs.estimate import estimate as estimate_roles
    from blpo.costs.workload import workload_of

    settings = load_settings(config, overrides or [])
    roles = estimate_roles(settings, workload_of(settings))
    notes = [*_assumptions(settings, roles), *_limits(settings, roles)]
    if as_json:
        typer.echo(json.dumps({**_as_json(roles), "assumptions": notes}, indent=1, ensure_ascii=False))
        return 0
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(roles))
    for note in notes:
        console.print(f"- {one_line(note)}", markup=False, soft_wrap=True)
    return 0


def _table(roles: "Roles") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from blpo.costs.estimate import total

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("calls", "at most", "tokens in", "tokens out", "US $"):
        table.add_column(name, justify="right", no_wrap=True)
    for role, own in roles.items():
        table.add_row(role, *_cells([(load, load.usd(own.price)) for load in (own.low, own.high, own.most)]))
    table.add_row("total", *_cells([total(roles, case) for case in CASES]), style="bold")
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


def _as_json(roles: "Roles") -> dict[str, Any]:
    from blpo.costs.estimate import total

    return {
        "roles": {
            role: {
                "model": own.model.name,
                **{case: _load(getattr(own, case), getattr(own, case).usd(own.price)) for case in CASES},
            }
            for role, own in roles.items()
        },
        "total": {case: _load(*total(roles, case)) for case in CASES},
    }


def _load(load: "Load", usd: float | None) -> dict[str, Any]:
    return {
        "calls": load.calls,
        "input_tokens": load.input_tokens,
        "output_tokens": load.output_tokens,
        "usd": None if usd is None else round(usd, 4),
    }


def _assumptions(settings: "Settings", roles: "Roles") -> Iterable[str]:
    """What the numbers rest on, a line each."""
    from blpo.costs.call_sizes import LONG, SHORT
    from blpo.costs.workload import MOST_MEASURED
    from blpo.models.catalogue import facts

    yield from (f"{case}: {meaning}" for case, meaning in CASES.items())
    for role, own in roles.items():
        set_at = "judge" if role == "verbalizer" and settings.models.verbalizer is None else role
        parts = [f"{role}: {own.model.name}", _price(set_at, own)]
        if role != "optimizer":
            parts.append(f"images {facts(own.model).image_formula.value.words}")
        if facts(own.model).reasons.value:
            parts.append(f"{SHORT.thinking} to {LONG.thinking} tokens of thinking a reply")
        yield ", ".join(parts)
    yield f"text: four characters a token; images: the mean of up to {MOST_MEASURED} samples, scaled as they are sent"
    lengths = ", ".join(
        f"{name}s {getattr(SHORT, name)} to {getattr(LONG, name)}" for name in ("verdict", "description", "critique")
    )
    yield f"tokens of replies: {lengths}; cached input counts in full"


def _price(set_at: str, own: "RoleEstimate") -> str:
    from blpo.models.catalogue import AS_OF

    if own.price is None:
        return f"price unknown (set models.{set_at}.price)"
    if own.model.price is None and own.price.input == own.price.output == 0:
        return "free"
    source = f"list price of {AS_OF}; override with models.{set_at}.price" if own.model.price is None else "as set"
    return f"US $ {own.price.input:g} in and {own.price.output:g} out for a million tokens ({source})"


def _limits(settings: "Settings", roles: "Roles") -> Iterable[str]:
    """Which limits would end the search before all rounds are done."""
    from blpo.costs.estimate import total

    load, usd = total(roles, "high")
    needed = {"calls": load.calls, "tokens": load.input_tokens + load.output_tokens, "usd": usd}
    for name, need in needed.items():
        limit = getattr(settings.limits, name)
        if limit is not None and need is not None and need > limit:
            yield f"limits.{name} ({limit:g}) may end the search before all rounds are done"
