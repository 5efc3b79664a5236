"""Identical requests at the same time share a task."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


@dataclass(slots=True)
class _Flight(Generic[_T]):
    task: asyncio.Task[_T]
    waiting: int = 0
    """Callers that wait for the task."""
    committed: bool = False


class SingleFlight(Generic[_T]):
    """Tasks by key. A task is cancelled when the last caller leaves, unless the task is committed."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[_T]] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, _T]]) -> tuple[_T, bool]:
        """Return the result of the task under `key`, and true if an earlier caller had started the task."""
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(work()))
            flight.task.add_done_callback(lambda task: self._land(key, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task), joined
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.committed and not flight.task.done():
                self._give_up(key, flight)

    def commit(self, key: str) -> None:
        """Let the task under `key` run to the end, also without callers."""
        self._flights[key].committed = True

    async def close(self, grace: float) -> None:
        """Cancel tasks that are not committed; cancel committed tasks after `grace` seconds."""
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

    def _give_up(self, key: str, flight: _Flight[_T]) -> None:
        self._flights.pop(key, None)  # at once, so that nobody joins a task that is being cancelled
        flight.task.cancel()

    def _land(self, key: str, task: asyncio.Task[_T]) -> None:
        if key in self._flights and self._flights[key].task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # retrieved, also if every caller was cancelled
