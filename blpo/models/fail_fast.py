"""Fail fast: a fatal error of a call makes the queued calls raise the error too.

Else queued calls would be sent after a spent budget, when the caller has given up and releases the reserve.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from state.errors import BlpoError


@dataclass(slots=True)
class CallQueue:
    """Calls since the last fatal error."""

    error: BlpoError | None = None
    """Fatal error of a call of the queue."""


class FailFast:
    """Fatal errors of calls. A call joins the current queue, waits for its place, and takes its turn."""

    def __init__(self) -> None:
        self._current = CallQueue()

    def join(self) -> CallQueue:
        """Return the queue for a new call."""
        return self._current

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
