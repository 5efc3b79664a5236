"""Bytes of the requests and responses of a call: bodies, all attempts together."""

from contextvars import ContextVar

from state.response import Traffic

_traffic: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


def begin_byte_count() -> Traffic:
    """Count the bytes sent and received from now on by the current task and by tasks of the current task."""
    traffic = Traffic()
    _traffic.set(traffic)
    return traffic


def count_bytes(outgoing: int = 0, incoming: int = 0) -> None:
    """Add bytes to the call under way; without a call under way nothing is counted."""
    traffic = _traffic.get()
    if traffic is not None:
        traffic.bytes_sent += outgoing
        traffic.bytes_received += incoming
