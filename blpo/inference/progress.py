"""Progress of a run: small events on LangGraph's custom stream (`state.events`)."""

import time
from collections.abc import Callable

from langgraph.runtime import Runtime

from blpo.inference.open_run import OpenRun
from state.events import Event, PhaseEvent, ProgressEvent, Spending, TrialEvent
from state.loops import Trial, UpdateState
from state.settings import Settings

INTERVAL = 0.2
"""Shortest time between two `progress` events of one node, in seconds."""


def send_event(runtime: Runtime[Settings], event: Event) -> None:
    """Send an event."""
    runtime.stream_writer(event)


async def send_phase(
    runtime: Runtime[Settings], run: OpenRun, state: UpdateState, phase: str, step: int | None = None
) -> None:
    """Tell the begin of the node `phase`, and the usage so far."""
    usage = await run.caller.usage()
    event = PhaseEvent(event="phase", round=state.get("round", 0), phase=phase, usage=usage)
    if step is not None:
        event["step"] = step
    send_event(runtime, event)


def send_trial(runtime: Runtime[Settings], state: UpdateState, step: int, trial: Trial) -> None:
    """Tell the outcome of a trial."""
    event: TrialEvent = {"event": "trial", "round": state.get("round", 0), "step": step, **trial}
    send_event(runtime, event)


def counter(runtime: Runtime[Settings], run: OpenRun, state: UpdateState, total: int) -> Callable[[], None]:
    """Return a function to call after every item; now and then the function sends a `progress` event."""
    done, last_event = 0, 0.0

    def count() -> None:
        nonlocal done, last_event
        done += 1
        if done == total or time.monotonic() - last_event >= INTERVAL:
            last_event = time.monotonic()
            spent = Spending(calls=run.budget.calls, tokens=run.budget.tokens, usd=run.budget.usd)
            event = ProgressEvent(event="progress", round=state.get("round", 0), done=done, total=total, spent=spent)
            send_event(runtime, event)

    return count


def uncounted() -> None:
    """Count nothing."""
