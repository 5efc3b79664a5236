"""How many bytes the requests of a call and their responses hold: bodies, all tries together."""

from contextvars import ContextVar

from state.response import Traffic

_current: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


def begin_count() -> Traffic:
    """Count what is sent and received from here on, in this task and those that it starts."""
    traffic = Traffic()
    _current.set(traffic)
    return traffic


def count(sent: int = 0, received: int = 0) -> None:
    """Add to the call under way, if its traffic is counted."""
    traffic = _current.get()
    if traffic is not None:
        traffic.sent += sent
        traffic.received += received
