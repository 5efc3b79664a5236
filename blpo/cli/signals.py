"""Ctrl-C and SIGTERM: the first signal stops after the current step, the second at once; the run can be resumed."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Protocol, TypeVar

from langgraph.runtime import RunControl

from blpo.cli.views import CANCELLING, STOPPING

_T = TypeVar("_T")


class StoppableView(Protocol):
    """View that shows a stop of the work."""

    @property
    def resumable(self) -> bool:
        """True if the work has something to resume."""
        ...

    def notify(self, notice: str) -> None:
        """Show that the work will stop. Called from a signal handler."""
        ...


def run_with_signals(search: Callable[[RunControl], Coroutine[Any, Any, _T]], view: StoppableView) -> _T:
    """Run a search. The first signal drains the run control, the second signal cancels the search.

    Raises `KeyboardInterrupt` for a cancelled search, and at once for a signal before the run has started.
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
    def __init__(self, view: StoppableView) -> None:
        self._view = view
        self._control = RunControl()
        self._cancel: Callable[[], object] | None = None

    async def watch(self, search: Callable[[RunControl], Coroutine[Any, Any, _T]]) -> _T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            # An exception raised in the handler would surface in any running code, perhaps halfway through a step.
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        return await search(self._control)

    def handle(self, number: int, _: FrameType | None) -> None:
        if not self._view.resumable or self._cancel is None:
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # no complaints about interrupted work
            raise KeyboardInterrupt
        if self._control.drain_requested:
            cancel, self._cancel = self._cancel, None  # a third signal raises
            cancel()
            self._view.notify(CANCELLING)
        else:
            self._control.request_drain(f"stopped by {signal.Signals(number).name}")
            self._view.notify(STOPPING)
