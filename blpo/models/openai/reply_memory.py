"""Memory for the large replies in flight: one bound for all calls of an event loop.

A large reply reserves its bytes before the client reads the reply. So memory stays bounded for any number of calls.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakKeyDictionary

_ALL_LARGE = 33_554_432
"""Bytes of all large bodies in flight."""


class _Pool:
    """Bytes for the large bodies in flight; first come, first served."""

    def __init__(self) -> None:
        self._reserved = 0
        self._queue: deque[tuple[int, int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserved(self, size: int, limit: int) -> AsyncIterator[None]:
        """Hold `size` bytes until the end of the block; a pool is never smaller than the limit of a body."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((size, limit, turn))
        self._admit()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._reserved -= size
            turn.cancel()
            self._admit()

    def _admit(self) -> None:
        while self._queue:
            size, limit, turn = self._queue[0]
            if not turn.done():
                if self._reserved + size > max(_ALL_LARGE, limit):
                    return
                self._reserved += size
                turn.set_result(None)
            self._queue.popleft()


_pools: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool]" = WeakKeyDictionary()


def _pool() -> _Pool:
    return _pools.setdefault(asyncio.get_running_loop(), _Pool())


@asynccontextmanager
async def reserved_bytes(size: int, limit: int) -> AsyncIterator[None]:
    """Hold `size` bytes of the pool until the end of the block; a pool is never smaller than `limit`.

    The note of a cancelled wait goes into the message of the timeout.
    """
    start = time.monotonic()
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(_pool().reserved(size, limit))
        except asyncio.CancelledError as error:
            wait = time.monotonic() - start
            error.add_note(f"{wait:.1f} s of them behind other large replies; lower max_concurrency or logprobs")
            raise
        yield
