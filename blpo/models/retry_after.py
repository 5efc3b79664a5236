"""Headers of an error reply, and the wait that the server asks for in headers or words."""

import email.utils
import re
import time
from collections.abc import Mapping
from typing import Any

from blpo.models.server_errors import error_body

_IN_BODY = re.compile(
    rb"""(?:retryDelay"\s{0,3}:\s{0,3}"|(?:try again|retry) (?:in|after) )"""
    rb"(?:(\d{1,3})h)?(?:(\d{1,4})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?)\s?(ms|s))?",
    re.IGNORECASE,
)
"""A wait such as `"retryDelay": "23.5s"` (Google), `try again in 6m0.2s` and `retry after 10 seconds`."""


def retry_after(error: Any) -> float | None:
    """Return the seconds to wait by the headers `retry-after-ms` and `Retry-After` (seconds, a date), or by words."""
    headers = headers_of(error)
    seconds = _seconds(headers.get("retry-after-ms"), 1000)
    seconds = seconds if seconds is not None else _seconds(headers.get("retry-after"), 1)
    return seconds if seconds is not None else _seconds_in_words(error_body(error))


def _seconds_in_words(body: bytes) -> float | None:
    for match in _IN_BODY.finditer(body[:65_536]):
        hours, minutes, seconds, unit = match.groups()
        if hours or minutes or seconds:
            last = float(seconds or 0) / (1000 if unit and unit.lower() == b"ms" else 1)
            return int(hours or 0) * 3600 + int(minutes or 0) * 60 + last
    return None


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
