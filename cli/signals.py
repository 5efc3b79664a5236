"""Ctrl-C and SIGTERM: first stop after the step at hand, then at once. Both leave a run that can be resumed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from langgraph.runtime import RunControl

from cli.view import View


@contextmanager
def stop_signals(view: View) -> Iterator[RunControl]:
    """Yield the control that the first signal drains; the second, or one before the run began, raises."""
    control = RunControl()

    def handle(number: int, _: FrameType | None) -> None:
        if control.drain_requested or not view.progress.run:
            raise KeyboardInterrupt
        control.request_drain(f"stopped by {signal.Signals(number).name}")
        view.stopping()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield control
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
