"""Counts of a role's calls, over all processes of a run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RoleCounts:
    """Calls of one role, over all resumes. issued - answered - failed calls are in flight, or were when killed."""

    issued: int = 0
    """Requests sent, with any outcome. Several attempts of a request count as one."""
    answered: int = 0
    failed: int = 0
    """Requests without an answer after all retries."""
    cached: int = 0
    """Answers served without a call. After a kill the last few may be missing."""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    """Answers without a known price. Their cost is not part of `usd`."""
    bytes_sent: int = 0
    """Bodies of all attempts, as far as the client counts bytes."""
    bytes_received: int = 0
    cached_tokens: int = 0
    """Input tokens from the prefix cache of the server, as far as the server tells."""


def counts_by_role(rows: Iterable[tuple[Any, ...]], cached: Mapping[str, int]) -> dict[str, RoleCounts]:
    """Return the counts by role. A row has a role and the columns of `USAGE`; `cached` has answers without a call."""
    calls = {role: tuple(count or 0 for count in counts) for role, *counts in rows}
    no_calls = (0,) * 10
    cached = Counter(cached)
    return {role: _counts(calls.get(role, no_calls), cached[role]) for role in sorted({*calls, *cached})}


def _counts(row: tuple[float, ...], cached: int) -> RoleCounts:
    issued, answered, failed, input_tokens, output_tokens, usd, unpriced, *further = row
    bytes_sent, bytes_received, cached_tokens = further
    return RoleCounts(
        int(issued),
        int(answered),
        int(failed),
        cached,
        int(input_tokens),
        int(output_tokens),
        float(usd),
        int(unpriced),
        int(bytes_sent),
        int(bytes_received),
        int(cached_tokens),
    )
