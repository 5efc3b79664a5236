"""Limits of a served model: calls at once, attempts a minute, tokens a minute.

Calls are counted twice. A call keeps a *place* (`max_concurrency`) from the time before sending until the outcome, also
during the waits between attempts: a server in trouble gets no further calls in the meantime. An attempt has room in the
*window*. The window adapts as in TCP (AIMD): a busy server (429, 503) halves the window, once for all attempts under
way, and every windowful of answers widens the window by 1.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from state.settings import ModelSettings


class Window:
    """Room for a number of attempts at once: at least 1, at most `most`, at first `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = float(most)
        self._inside = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._last_cut = float("-inf")

    async def __aenter__(self) -> None:
        while self._inside >= int(self.size):
            await self._turn()
        self._inside += 1

    async def __aexit__(self, *error: object) -> None:
        self._inside -= 1
        self._wake()

    def widen(self) -> None:
        """Widen the window after an answer of the server."""
        self.size = min(float(self.most), self.size + 1 / self.size)

    def cut(self, start: float) -> None:
        """Halve the window after the server was too busy for an attempt begun at `start` (monotonic time)."""
        if start > self._last_cut:
            self.size = max(1.0, self.size / 2)
            self._last_cut = time.monotonic()

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # hand the turn on to the next attempt
            raise

    def _wake(self) -> None:
        room = int(self.size) - self._inside
        while self._queue and room > 0:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1


class Pace:
    """A number of units a minute, evenly spread and first come, first served: never more units within any minute."""

    def __init__(self, per_minute: int | None) -> None:
        self._seconds = 60 / per_minute if per_minute else 0.0
        self._free_at = 0.0
        """Monotonic time from which the next units may be taken."""

    async def take(self, units: float = 1) -> None:
        """Wait until the units taken before are used up, and take `units`."""
        if not self._seconds:
            return
        now = time.monotonic()
        start = max(now, self._free_at)
        self._free_at = start + units * self._seconds
        if start > now:
            await asyncio.sleep(start - now)

    def give_back(self, units: float) -> None:
        """Return unused units; a negative number takes more units."""
        self._free_at -= units * self._seconds


class Limiter:
    """Limits of a served model, for a single event loop; the strictest of the `settings` hold."""

    def __init__(self, settings: Iterable[ModelSettings]) -> None:
        of_roles = list(settings)
        self.places = asyncio.Semaphore(min(each.max_concurrency for each in of_roles))
        self.window = Window(min(each.max_concurrency for each in of_roles))
        self._requests = Pace(_least(each.requests_per_minute for each in of_roles))
        self._tokens = Pace(_least(each.tokens_per_minute for each in of_roles))
        self._answers = 0
        self._mean_tokens = 1000.0
        self._paused_until = 0.0

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Wait until an attempt may be sent, and hold room in the window for the attempt."""
        async with self.window:
            await self._requests.take()
            await self._tokens.take(self._mean_tokens)
            while (wait := self._paused_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            yield

    @property
    def has_answered(self) -> bool:
        """True if the server has answered a request."""
        return self._answers > 0

    def answered(self, tokens: int) -> None:
        """Count an answer of so many tokens."""
        self.window.widen()
        self._tokens.give_back(self._mean_tokens - tokens)
        self._answers += 1
        self._mean_tokens += (tokens - self._mean_tokens) / min(self._answers, 100)

    def busy(self, start: float, wait: float | None) -> None:
        """Slow down: the server was too busy for an attempt begun at `start`, and asked to wait `wait` s."""
        self.window.cut(start)
        self._paused_until = max(self._paused_until, time.monotonic() + (wait or 0.0))


class Limiters:
    """A limiter for every model (name and address), shared by the roles of the model."""

    def __init__(self, models: Iterable[ModelSettings]) -> None:
        by_server: dict[tuple[str, str], list[ModelSettings]] = {}
        for settings in models:
            by_server.setdefault(_server(settings), []).append(settings)
        self._limiters = {server: Limiter(settings) for server, settings in by_server.items()}

    def of(self, settings: ModelSettings) -> Limiter:
        """Return the limiter of a model named at construction."""
        return self._limiters[_server(settings)]


def _server(settings: ModelSettings) -> tuple[str, str]:
    return settings.name, (settings.base_url or "").rstrip("/")


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
