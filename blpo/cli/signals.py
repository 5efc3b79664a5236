"""Ctrl-C and SIGTERM: first stop after the step at hand, then at once. Both leave a run that can be resumed."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Protocol, TypeVar

from langgraph.runtime import RunControl

from blpo.cli.view import CANCELLING, STOPPING

T = TypeVar("T")


class Watching(Protocol):
    """What follows the work and is told that it will stop."""

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        ...

    def notify(self, notice: str) -> None:
        """Say that the work will stop; called from a signal handler."""
        ...


def run_with_signals(search: Callable[[RunControl], Coroutine[Any, Any, T]], view: Watching) -> T:
    """Run a search; the first signal drains its control, the second cancels it.

    Raises `KeyboardInterrupt` where it was cancelled, and at once for a signal before the run began.
    """
    stop = _Stop(view)
    before = {number: signal.signal(number, stop.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return asyncio.run(stop.watch(search))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stop:
    def __init__(self, view: Watching) -> None:
        self._view = view
        self._control = RunControl()
        self._cancel: Callable[[], object] | None = None

    async def watch(self, search: Callable[[RunControl], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            # An exception raised here and now would surface in whatever happens to run, perhaps halfway through it.
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        return await search(self._control)

    def handle(self, number: int, _: FrameType | None) -> None:
        if not self._view.begun or self._cancel is None:
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # no complaints about what is broken off halfway
            raise KeyboardInterrupt
        if self._control.drain_requested:
            cancel, self._cancel = self._cancel, None  # a third signal raises
            cancel()
            self._view.notify(CANCELLING)
        else:
            self._control.request_drain(f"stopped by {signal.Signals(number).name}")
            self._view.notify(STOPPING)
