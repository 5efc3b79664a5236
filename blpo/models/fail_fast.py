"""Fail fast: a fatal error of a call makes the queued calls raise the error too.

Else queued calls would be sent after a spent budget, when the caller has given up and releases the reserve. A step with
too many failures is given up: then failed calls under way are not tried again either.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from state.errors import BlpoError


@dataclass(slots=True)
class CallQueue:
    """Calls since the last fatal error."""

    error: BlpoError | None = None
    """Fatal error of a call of the queue."""
    given_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set if the calls under way are not worth another try."""

    async def is_given_up_within(self, seconds: float) -> bool:
        """Wait so many seconds, but no longer than until the queue is given up; return true for a queue given up."""
        try:
            async with asyncio.timeout(seconds):
                return await self.given_up.wait()
        except TimeoutError:
            return False


class FailFast:
    """Fatal errors of calls. A call joins the current queue, waits for its place, and takes its turn."""

    def __init__(self) -> None:
        self._current = CallQueue()

    def join(self) -> CallQueue:
        """Return the queue for a new call."""
        return self._current

    def give_up(self, error: BlpoError) -> None:
        """End the queue with `error`, and the retries of its calls; a new queue begins."""
        self._current.error = error
        self._current.given_up.set()
        self._current = CallQueue()

    @contextmanager
    def turn(self, queue: CallQueue) -> Iterator[None]:
        """Raise the fatal error of the queue, if any. A fatal error in the block ends the queue; a new queue begins."""
        if queue.error is not None:
            raise type(queue.error)(str(queue.error)) from queue.error
        try:
            yield
        except BlpoError as error:
            queue.error = error
            self._current = CallQueue()
            raise
