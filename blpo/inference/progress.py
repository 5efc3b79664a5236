"""What a run says of its progress, on LangGraph's custom stream: one small dictionary an event."""

import time
from collections.abc import Callable, Mapping
from typing import Literal

from langgraph.runtime import Runtime

from blpo.models.budget import Budget
from state.loops import UpdateState
from state.settings import Settings

Event = Literal["phase", "judged", "errors", "trial", "decided", "tested", "progress"]

INTERVAL = 0.2
"""Seconds between two reports of a counter, at least."""


def report(runtime: Runtime[Settings], event: Event, state: UpdateState, **details: object) -> None:
    """Send one event; every event names its round."""
    payload: Mapping[str, object] = {"event": event, "round": state.get("round", 0), **details}
    runtime.stream_writer(payload)


def counter(runtime: Runtime[Settings], state: UpdateState, total: int, budget: Budget) -> Callable[[], None]:
    """What to call whenever one of `total` items is finished; now and then it reports how many are (event `progress`).

    The event also says what was spent by all roles together; only one is at work. These events are for a live view;
    they are not kept.
    """
    done, reported = 0, 0.0

    def count() -> None:
        nonlocal done, reported
        done += 1
        if done == total or time.monotonic() - reported >= INTERVAL:
            reported = time.monotonic()
            spent = {"calls": budget.calls, "tokens": budget.tokens, "usd": budget.usd}
            report(runtime, "progress", state, done=done, total=total, spent=spent)

    return count


def uncounted() -> None:
    """A counter that counts nothing."""
