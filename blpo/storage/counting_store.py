"""Response store without answers: counts of calls alone, for millions of images that are asked about once."""

from dataclasses import replace
from itertools import count

from blpo.storage.database import Database
from blpo.storage.response_store import ResponseStore
from blpo.storage.role_counts import RoleCounts
from state.response import Failure, Response, Traffic

_NO_TRAFFIC = Traffic()


class CountingStore(ResponseStore):
    """Counts of calls in memory; no answer is kept. Memory and disk stay flat, whatever the number of calls."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._numbers = count(1)
        self._in_flight: dict[int, str] = {}
        """Role by call."""
        self._counts: dict[str, RoleCounts] = {}

    async def get(self, key: str) -> Response | None:
        """Return None: no answer is kept."""
        return None

    async def begin(self, key: str, role: str, model: str) -> int:
        """Count a call."""
        number = next(self._numbers)
        self._in_flight[number] = role
        counts = self._counts.get(role, RoleCounts())
        self._counts[role] = replace(counts, issued=counts.issued + 1)
        return number

    async def finish(
        self,
        call_id: int,
        response: Response,
        *,
        usd: float | None = None,
        attempts: int = 1,
        traffic: Traffic = _NO_TRAFFIC,
    ) -> None:
        """Count the answer to a call."""
        role = self._in_flight.pop(call_id)
        counts = self._counts[role]
        self._counts[role] = replace(
            counts,
            answered=counts.answered + 1,
            input_tokens=counts.input_tokens + response.input_tokens,
            output_tokens=counts.output_tokens + response.output_tokens,
            usd=counts.usd + (usd or 0.0),
            unpriced=counts.unpriced + (usd is None),
            bytes_sent=counts.bytes_sent + traffic.bytes_sent,
            bytes_received=counts.bytes_received + traffic.bytes_received,
            cached_tokens=counts.cached_tokens + response.cached_tokens,
        )

    async def fail(self, call_id: int, failure: Failure, *, attempts: int = 1, traffic: Traffic = _NO_TRAFFIC) -> None:
        """Count the end of a call without an answer."""
        role = self._in_flight.pop(call_id)
        self._counts[role] = replace(self._counts[role], failed=self._counts[role].failed + 1)

    async def usage(self) -> dict[str, RoleCounts]:
        """Return the counts of every role with a request."""
        return {role: replace(counts, cached=self._hits[role]) for role, counts in self._counts.items()}
