"""What a run costs: calls, tokens and dollars by role, and together."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from blpo.cli.wording import count, dollars
from state.result import RoleUsage

UNKNOWN = "?: set models.ROLE.price"


def usage_table(usage: Mapping[str, RoleUsage]) -> Table:
    """One row a role, and their total; failures and dollars where there are any, and `?` where a price is unknown."""
    roles = list(usage.values())
    costs = [role["usd"] for role in roles]
    failed, paid = any(role["failed"] for role in roles), any(costs) or None in costs
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", overflow="ellipsis")  # the one that shrinks first
    for name in ["calls", "cached", *(["failed"] if failed else []), "tokens", *(["US $"] if paid else [])]:
        table.add_column(name, justify="right", no_wrap=True)

    def add(name: str, own: Sequence[RoleUsage], usd: str) -> None:
        cells = [count(sum(role["issued"] for role in own)), count(sum(role["cached"] for role in own))]
        cells += [count(sum(role["failed"] for role in own))] if failed else []
        table.add_row(name, *cells, count(sum(map(_tokens, own))), *([usd] if paid else []))

    for name, role in usage.items():
        add(name, [role], dollars(role["usd"]))
    if len(roles) > 1:
        known = sum(cost or 0.0 for cost in costs)
        add("total", roles, dollars(known) + ("+?" if None in costs else ""))
    if None in costs:
        table.caption, table.caption_justify = Text(UNKNOWN, no_wrap=True, overflow="ellipsis"), "left"
    return table


def _tokens(role: RoleUsage) -> int:
    return role["input_tokens"] + role["output_tokens"]
