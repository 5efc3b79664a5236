"""Engines: ways to put workers to parts."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol

from blpo.bulk.ledger import Spent
from blpo.bulk.parts import Part
from blpo.bulk.worker import Job
from state.errors import BlpoError

OnSpent = Callable[[Spent], None]
"""Receives the work and costs of this command so far."""


class Stop:
    """A wish to stop, from a signal."""

    def __init__(self) -> None:
        self._reason: BlpoError | None = None
        self._callbacks: list[Callable[[BlpoError], object]] = []

    def request(self, reason: BlpoError) -> None:
        """End the work for this reason."""
        self._reason = reason
        for callback in self._callbacks:
            callback(reason)

    def on_stop(self, callback: Callable[[BlpoError], object]) -> None:
        """Call `callback` with the reason at a stop, at once if it has come."""
        self._callbacks.append(callback)
        if self._reason is not None:
            callback(self._reason)


class Engine(Protocol):
    """Judges parts and writes their verdicts."""

    async def __call__(self, job: Job, parts: Iterable[Part], on_spent: OnSpent, stop: Stop) -> BlpoError | None:
        """Judge the parts; return None, or the reason why some remain. Raises `BlpoError` before the first call."""
        ...


async def all_of(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all works to their end; the first error ends the others and is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
