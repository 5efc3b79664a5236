"""Bytes of the requests of a call and of their responses: bodies, all attempts together."""

from contextvars import ContextVar

from state.response import Traffic

_traffic: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


def begin_byte_count() -> Traffic:
    """Count the bytes that this task, and tasks that the task starts, send and receive from now on."""
    traffic = Traffic()
    _traffic.set(traffic)
    return traffic


def count_bytes(sent: int = 0, received: int = 0) -> None:
    """Add bytes to the call under way; without a call under way nothing is counted."""
    traffic = _traffic.get()
    if traffic is not None:
        traffic.sent += sent
        traffic.received += received
