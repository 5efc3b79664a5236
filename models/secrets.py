"""Keeps keys out of messages: errors of servers and clients may quote what was sent to them."""

import os
import re
from urllib.parse import quote

_SECRET_NAMES = re.compile(r".*(_KEY|_TOKEN|_SECRET|_PASSWORD)", re.IGNORECASE)
_SHORTEST = 6
"""Shorter values (and `EMPTY`) are placeholders, and could stand in any text."""
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")
_BEARER = re.compile(r"(bearer\s+)\S+", re.IGNORECASE)
_LONGEST = 400
_used: set[str] = set()
"""Values of variables with other names that are sent in headers."""


def environment_secret(name: str) -> str | None:
    """The value of an environment variable, to be masked from now on whatever its name; None where it is not set."""
    value = os.environ.get(name, "").strip()
    if len(value) >= _SHORTEST:
        _used.add(value)
    return value or None


def one_line(text: str) -> str:
    """Return `text` as one line of at most 400 characters, with the values of all key variables masked."""
    for secret in _secrets():
        text = text.replace(secret, "***")
    text = _BEARER.sub(r"\1***", _IN_ADDRESS.sub("***@", text))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _secrets() -> list[str]:
    values = {v for name, v in os.environ.items() if _SECRET_NAMES.fullmatch(name) and len(v) >= _SHORTEST}
    values |= _used
    variants = values | {quote(value, safe="") for value in values}
    return sorted(variants, key=len, reverse=True)
