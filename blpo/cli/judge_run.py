"""Judging of one set with a bar, and a notice when it is stopped."""

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blpo.cli.error_lines import say

if TYPE_CHECKING:
    from blpo.deployment.judge_set import SetJudging
    from blpo.deployment.summary import Summary
    from blpo.deployment.verdict_sinks import VerdictSink


def run_judging(
    work: "SetJudging", lines: "AbstractContextManager[VerdictSink]", out: Path | None, *, visible: bool
) -> "Summary | None":
    """Judge a set, with a bar if `visible`; `out` is the file of `lines`. Return None after Ctrl-C or SIGTERM."""
    from blpo.cli.judge_view import JudgeView
    from state.errors import BlpoError

    view = JudgeView(work.inputs, visible=visible)
    try:
        with lines as sink:
            if sink.old_lines:
                say(f"going on with {out}: {sink.old_lines} lines are there")
            with view:
                return asyncio.run(_announce_stop(work.run(sink, view.advance)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        hint = "give the same command to go on" if out else "nothing is kept without --out FILE"
        say(f"stopped after {work.judged} images; {hint}")
        return None
    except BlpoError:
        if out is not None and work.judged:
            say(f"{work.judged} lines are in {out}; give the same command to go on")
        raise


async def _announce_stop(work: "Coroutine[Any, Any, Summary]") -> "Summary":
    """Run the work; on Ctrl-C or SIGTERM print a notice at once, then wait for the answers already paid for."""
    from blpo.cli.views import CANCELLING

    task = asyncio.ensure_future(work)
    with sigterm_as_ctrl_c(asyncio.get_running_loop(), asyncio.current_task()):
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            say(CANCELLING)
            task.cancel()
            return await task


@contextmanager
def sigterm_as_ctrl_c(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[Any] | None") -> "Iterator[None]":
    """Cancel `task` at SIGTERM, as Ctrl-C does. A shell lets a command in the background ignore Ctrl-C alone.

    A handler of the loop also wakes a loop that begins to wait when a signal comes.
    """
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
