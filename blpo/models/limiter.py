"""What one served model is asked at most: calls at once, tries a minute, tokens a minute.

Two counts of calls. A call has its *place* (`max_concurrency`) from before it is sent until its outcome, also while it
waits to be tried again, so that a server in trouble is not asked by others in the meantime. A try has room in the
*window*, which adapts: a busy server (429, 503) halves it, once for all tries that were under way, and each windowful
of answers widens it by one, as TCP does (AIMD).
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from state.settings import ModelSettings


class Window:
    """Room for so many tries at once: between 1 and `most`, which it begins with."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = float(most)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._cut_at = float("-inf")

    async def __aenter__(self) -> None:
        while self._inside >= int(self.size):
            await self._turn()
        self._inside += 1

    async def __aexit__(self, *error: object) -> None:
        self._inside -= 1
        self._wake()

    def widen(self) -> None:
        """The server has answered."""
        self.size = min(float(self.most), self.size + 1 / self.size)

    def cut(self, begun: float) -> None:
        """The server was too busy for a try that began at this time (`time.monotonic()`)."""
        if begun > self._cut_at:
            self.size = max(1.0, self.size / 2)
            self._cut_at = time.monotonic()

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # it was this one's turn; it is the next one's now
            raise

    def _wake(self) -> None:
        room = int(self.size) - self._inside
        while self._waiting and room > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1


class Pace:
    """So many units a minute, evenly spread and in the order asked: never more than that within any minute."""

    def __init__(self, per_minute: int | None) -> None:
        self._seconds = 60 / per_minute if per_minute else 0.0
        self._free = 0.0
        """`time.monotonic()` from which the next one may go."""

    async def take(self, units: float = 1) -> None:
        """Wait until what was taken before is used up, and take `units`."""
        if not self._seconds:
            return
        now = time.monotonic()
        begin = max(now, self._free)
        self._free = begin + units * self._seconds
        if begin > now:
            await asyncio.sleep(begin - now)

    def give_back(self, units: float) -> None:
        """Fewer units were used than taken; more, where negative."""
        self._free -= units * self._seconds


class Limiter:
    """The limits of one served model, for one event loop."""

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
    async def trying(self) -> AsyncIterator[None]:
        """Wait until a try may be sent, and hold its room in the window."""
        async with self.window:
            await self._requests.take()
            await self._tokens.take(self._mean_tokens)
            while (wait := self._paused_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            yield

    def answered(self, tokens: int) -> None:
        """A try was answered, for so many tokens."""
        self.window.widen()
        self._tokens.give_back(self._mean_tokens - tokens)
        self._answers += 1
        self._mean_tokens += (tokens - self._mean_tokens) / min(self._answers, 100)

    def busy(self, begun: float, wait: float | None) -> None:
        """The server was too busy for a try that began then, and asked all to wait so many seconds."""
        self.window.cut(begun)
        self._paused_until = max(self._paused_until, time.monotonic() + (wait or 0.0))


class Limiters:
    """One limiter for each model (name and address), shared by the roles that use it; the strictest settings hold."""

    def __init__(self, models: Iterable[ModelSettings]) -> None:
        by_server: dict[tuple[str, str], list[ModelSettings]] = {}
        for settings in models:
            by_server.setdefault(_served(settings), []).append(settings)
        self._limiters = {served: Limiter(settings) for served, settings in by_server.items()}

    def of(self, settings: ModelSettings) -> Limiter:
        """The limiter of the model; it is one of those given at construction."""
        return self._limiters[_served(settings)]


def _served(settings: ModelSettings) -> tuple[str, str]:
    return settings.name, (settings.base_url or "").rstrip("/")


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
