"""Mask API keys in messages: errors of servers and clients may quote requests."""

import html
import json
import os
import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import quote

from blpo.models.foreign_text import clean_text

_SECRET_NAMES = re.compile(r".*(_KEY|_TOKEN|_SECRET|_PASSWORD)", re.IGNORECASE)
_SHORTEST = 6
"""Characters; shorter values (and `EMPTY`) are placeholders, and could stand in any text."""
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")
_BEARER = re.compile(r"(bearer\s+)\S+", re.IGNORECASE)
_LONGEST = 400
_EXCERPT = 200
"""Characters of a foreign text that a message quotes."""
_MOST_MASKED = 4000
"""Characters at the start of a foreign text that are masked before the cut."""
_header_values: set[str] = set()
"""Values of variables that are sent in headers, whatever the names of the variables."""


def environment_secret(name: str) -> str | None:
    """Return the value of an environment variable, and mask the value from now on; None if not set."""
    value = os.environ.get(name, "").strip()
    if len(value) >= _SHORTEST:
        _header_values.add(value)
    return value or None


def one_line(text: str) -> str:
    """Return `text` as a single line of at most 400 characters, with the values of all key variables masked.

    Values are masked in every form: as in JSON, HTML, an address, base64 and hexadecimal digits.
    """
    text = _masked(text, _key_variables() | _header_values)
    text = _BEARER.sub(r"\1***", _IN_ADDRESS.sub("***@", text))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def excerpt(text: str) -> str:
    """Return the first 200 characters of a foreign text as a line, with keys masked before the cut."""
    line = one_line(text[:_MOST_MASKED])
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + "…"


def without_keys(text: str) -> str:
    """Return a clean answer with the keys of the request masked, in case the server repeats the keys."""
    return _masked(text, _header_values)


def _key_variables() -> set[str]:
    return {v for name, v in os.environ.items() if _SECRET_NAMES.fullmatch(name) and len(v) >= _SHORTEST}


def _masked(text: str, secrets: set[str]) -> str:
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return clean_text(text)


@lru_cache(maxsize=256)
def _forms(secret: str) -> frozenset[str]:
    """Return the forms of a secret in texts of several formats."""
    data, address = secret.encode("utf-8", "surrogateescape"), quote(secret, safe="", errors="surrogateescape")
    inside = {_base64_inside(data, offset) for offset in range(3)}
    escaped = {address, address.lower(), json.dumps(secret)[1:-1], html.escape(secret), data.hex(), data.hex().upper()}
    forms = {secret, *escaped, *inside, *(form.replace("+", "-").replace("/", "_") for form in inside)}
    return frozenset(form for form in forms if len(form) >= _SHORTEST)


def _base64_inside(data: bytes, offset: int) -> str:
    """Return the characters for `data` in the base64 of a text with `data` after `offset` bytes (mod 3)."""
    whole = b64encode(bytes(offset) + data).decode("ascii")
    return whole[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
