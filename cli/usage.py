"""What a run costs: calls and tokens by role."""

from collections.abc import Mapping

from rich.table import Table

from cli.wording import count
from state.result import RoleUsage


def usage_table(usage: Mapping[str, RoleUsage]) -> Table:
    """One row a role; failures and dollars where there are any."""
    failed = any(role["failed"] for role in usage.values())
    paid = any(role["usd"] for role in usage.values())
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", overflow="ellipsis")  # the one that shrinks first
    for name in ["calls", "cached", *(["failed"] if failed else []), "tokens", *(["US $"] if paid else [])]:
        table.add_column(name, justify="right", no_wrap=True)
    for name, role in usage.items():
        cells = [count(role["issued"]), count(role["cached"])]
        cells += [count(role["failed"])] if failed else []
        cells += [count(role["input_tokens"] + role["output_tokens"])]
        cells += [_dollars(role["usd"])] if paid else []
        table.add_row(name, *cells)
    return table


def _dollars(usd: float | None) -> str:
    return "?" if usd is None else f"{usd:.2f}" if usd < 1000 else count(round(usd))
