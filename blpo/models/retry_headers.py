"""Headers of an error reply, and the wait that the server asks for."""

import email.utils
import time
from collections.abc import Mapping
from typing import Any


def retry_after(error: Any) -> float | None:
    """Return the seconds to wait by the headers `retry-after-ms` and `Retry-After` (seconds, or a date)."""
    headers = headers_of(error)
    seconds = _seconds(headers.get("retry-after-ms"), 1000)
    return seconds if seconds is not None else _seconds(headers.get("retry-after"), 1)


def headers_of(error: Any) -> Mapping[str, str]:
    """Return the headers of an error reply, with names in any case."""
    source = error if hasattr(error, "headers") else getattr(error, "response", None)
    return getattr(source, "headers", None) or {}


def _seconds(value: str | None, parts: int) -> float | None:
    """Return the seconds of a wait in `parts` of a second, or up to a date; else None."""
    try:
        return None if value is None else max(0.0, float(value) / parts)
    except ValueError:
        date = email.utils.parsedate_tz(value or "")
    try:
        return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())
    except (ValueError, OverflowError):  # no such date
        return None
