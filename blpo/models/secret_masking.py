"""Keeps keys out of messages: errors of servers and clients may quote what was sent to them."""

import html
import json
import os
import re
from base64 import b64encode
from functools import lru_cache
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
    """Return `text` as one line of at most 400 characters, with the values of all key variables masked.

    Masked too: as they stand in JSON, HTML, an address, base64 and hexadecimal digits.
    """
    text = _masked(text, _key_variables() | _used)
    text = _BEARER.sub(r"\1***", _IN_ADDRESS.sub("***@", text))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def without_keys(text: str) -> str:
    """Return an answer with the keys that were sent along with its request masked, in case the server repeats them."""
    return _masked(text, _used)


def _key_variables() -> set[str]:
    return {v for name, v in os.environ.items() if _SECRET_NAMES.fullmatch(name) and len(v) >= _SHORTEST}


def _masked(text: str, secrets: set[str]) -> str:
    written = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


@lru_cache(maxsize=256)
def _forms(secret: str) -> frozenset[str]:
    """What a secret looks like in other texts."""
    data, address = secret.encode("utf-8", "surrogateescape"), quote(secret, safe="", errors="surrogateescape")
    inside = {_base64_inside(data, offset) for offset in range(3)}
    escaped = {address, address.lower(), json.dumps(secret)[1:-1], html.escape(secret), data.hex(), data.hex().upper()}
    forms = {secret, *escaped, *inside, *(form.replace("+", "-").replace("/", "_") for form in inside)}
    return frozenset(form for form in forms if len(form) >= _SHORTEST)


def _base64_inside(data: bytes, offset: int) -> str:
    """The characters that stand for `data` alone in the base64 of a text that holds it after `offset` bytes (mod 3)."""
    whole = b64encode(bytes(offset) + data).decode("ascii")
    return whole[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
