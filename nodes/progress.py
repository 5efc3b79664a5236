"""What a run says of its progress, on LangGraph's custom stream: one small dictionary an event."""

from collections.abc import Mapping
from typing import Literal

from langgraph.runtime import Runtime

from state.loops import UpdateState
from state.settings import Settings

Event = Literal["phase", "judged", "errors", "trial", "kept", "adopted", "tested"]


def report(runtime: Runtime[Settings], event: Event, state: UpdateState, **details: object) -> None:
    """Send one event; every event names its round."""
    payload: Mapping[str, object] = {"event": event, "round": state.get("round", 0), **details}
    runtime.stream_writer(payload)
