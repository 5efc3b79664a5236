"""Identical requests under way at the same time share one task."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0
    committed: bool = False


class SingleFlight(Generic[T]):
    """Tasks by key. A task ends with its last waiter, unless it has been committed to: then it runs to its end."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Return what the task under `key` returns, and whether another caller had started it."""
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(work()))
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task), joined
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.committed and not flight.task.done():
                self._give_up(key, flight)

    def commit(self, key: str) -> None:
        """Let the task under `key` run to its end, even if nobody waits for it any more."""
        self._flights[key].committed = True

    async def close(self, grace: float) -> None:
        """Give `grace` seconds to tasks that are committed to, and cancel the others at once."""
        flights = dict(self._flights)
        for key, flight in flights.items():
            if not flight.committed:
                self._give_up(key, flight)
        if flights:
            tasks = [flight.task for flight in flights.values()]
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _give_up(self, key: str, flight: _Flight[T]) -> None:
        self._flights.pop(key, None)  # at once, so that nobody joins a task that is being cancelled
        flight.task.cancel()

    def _landed(self, key: str, task: asyncio.Task[T]) -> None:
        if key in self._flights and self._flights[key].task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # seen, also where every waiter was cancelled
