"""Calls, tokens and dollars of several roles together."""

from collections.abc import Iterable
from dataclasses import dataclass

from state.role_usage import RoleUsage


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Sums over roles."""

    issued: int
    cached: int
    failed: int
    tokens: int
    """Input and output."""
    cached_tokens: int
    """Input tokens from the prefix cache of a server."""
    known_usd: float
    """Sum over the roles with a known price."""
    is_priced: bool
    """True if the price of every role is known."""

    @property
    def usd(self) -> float | None:
        """Dollars; None if a price is not known."""
        return self.known_usd if self.is_priced else None


def total_usage(roles: Iterable[RoleUsage]) -> UsageTotals:
    """Add up the usage of `roles`."""
    roles = list(roles)
    costs = [role["usd"] for role in roles]
    return UsageTotals(
        issued=sum(role["issued"] for role in roles),
        cached=sum(role["cached"] for role in roles),
        failed=sum(role["failed"] for role in roles),
        tokens=sum(role["input_tokens"] + role["output_tokens"] for role in roles),
        cached_tokens=sum(role.get("cached_tokens", 0) for role in roles),
        known_usd=sum((cost for cost in costs if cost is not None), 0.0),
        is_priced=None not in costs,
    )
