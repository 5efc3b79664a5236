"""Table of calls, tokens and dollars by role, with the total."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from blpo.runs.usage_totals import UsageTotals, total_usage
from blpo.runs.wording import count, dollars
from state.role_usage import RoleUsage

UNKNOWN = "?: set models.ROLE.price"


def usage_table(usage: Mapping[str, RoleUsage]) -> Table:
    """Return a row per role and a total, with failures, tokens from servers' caches and dollars if any.

    An unknown price is `?`.
    """
    roles = list(usage.values())
    total = total_usage(roles)
    failed, paid = total.failed > 0, total.known_usd > 0 or not total.is_priced
    reused = total.cached_tokens > 0
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", overflow="ellipsis")  # shrinks first
    optional = [(failed, "failed"), (True, "tokens"), (reused, "reused"), (paid, "US $")]
    for name in ["calls", "cached", *(name for is_shown, name in optional if is_shown)]:
        table.add_column(name, justify="right", no_wrap=True)

    def add(name: str, own: UsageTotals, usd: str) -> None:
        cells = [count(own.issued), count(own.cached), *([count(own.failed)] if failed else []), count(own.tokens)]
        table.add_row(name, *cells, *([count(own.cached_tokens)] if reused else []), *([usd] if paid else []))

    for name, role in usage.items():
        add(name, total_usage([role]), dollars(role["usd"]))
    if len(roles) > 1:
        add("total", total, dollars(total.known_usd) + ("" if total.is_priced else "+?"))
    if not total.is_priced:
        table.caption, table.caption_justify = Text(UNKNOWN, no_wrap=True, overflow="ellipsis"), "left"
    return table
