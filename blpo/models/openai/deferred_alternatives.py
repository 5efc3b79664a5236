"""Completions, parsed without the alternatives of tokens.

A reply with log-probabilities holds up to 20 alternatives for every token, and label scores read the alternatives of
the label alone. All alternatives of a long reply take the event loop ten times as long as the rest of the reply.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_LARGE = 16_384
"""Bytes; shorter bodies are parsed as a whole."""
_START = re.compile(rb'"top_logprobs"\s*+:\s*+(?=\[\s*+\{)')
_END = re.compile(rb"\}\s*+\]")
_NAME = "deferred alternatives "
"""Begin of a name that stands for an array; a body with the name is parsed as a whole."""
_MOST_MISSES = 1000
"""Ends of arrays inside strings. With more, the search for the true ends would take too long."""


class DeferredAlternatives(Sequence[Any]):
    """Alternatives of a token as JSON text, parsed at the first access; raises `ValueError` and `RecursionError`."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._items: list[Any] | None = None

    def _parsed(self) -> list[Any]:
        if self._items is None:
            self._items = json.loads(self._text)
        return self._items

    def __getitem__(self, index: Any) -> Any:
        return self._parsed()[index]

    def __len__(self) -> int:
        return len(self._parsed())


def parse_completion(body: bytes) -> Any:
    """Return the parsed body; raises as `json.loads`. Bytes outside UTF-8 become question marks in diamonds.

    In a large body, `top_logprobs` of the first choice's tokens are `DeferredAlternatives`.
    """
    arrays = _arrays(body) if len(body) > _LARGE and _NAME.encode() not in body else []
    if arrays:
        texts = {f"{_NAME}{number}": body[start:end] for number, (start, end) in enumerate(arrays)}
        try:
            reply = json.loads(b"".join(_shortened(body, arrays, list(texts))))
        except (ValueError, RecursionError):  # an array inside an array, or a faulty body
            return json.loads(body)
        if _defer(reply, texts):
            return reply
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        return json.loads(body.decode("utf-8", "replace"))


def _arrays(body: bytes) -> list[tuple[int, int]]:
    """Return start and end of all arrays of alternatives; none if too many places look like an end."""
    arrays: list[tuple[int, int]] = []
    position = misses = 0
    while match := _START.search(body, position):
        position = match.end()
        if body[match.start() - 1 : match.start()] == b"\\":  # inside a string
            continue
        is_in_string, piece = False, position
        for end in _END.finditer(body, position):
            is_in_string ^= _quotes(body[piece : end.start()]) % 2 == 1
            if not is_in_string:
                arrays.append((position, end.end()))
                position = end.end()
                break
            piece = end.start()
            misses += 1
            if misses > _MOST_MISSES:
                return []
        else:
            return []
    return arrays


def _quotes(text: bytes) -> int:
    """Return the number of quotes that begin or end a string."""
    if b"\\" not in text:
        return text.count(b'"')
    unescaped = text.replace(rb"\\", b"")
    return unescaped.count(b'"') - unescaped.count(rb"\"")


def _shortened(body: bytes, arrays: list[tuple[int, int]], names: list[str]) -> Iterator[bytes]:
    """Yield the body with a name in the place of every array."""
    position = 0
    for name, (start, end) in zip(names, arrays, strict=True):
        yield body[position:start]
        yield f'"{name}"'.encode()
        position = end
    yield body[position:]


def _defer(reply: Any, texts: dict[str, bytes]) -> bool:
    """Replace names by alternatives; return false if the first choice has no tokens."""
    try:
        tokens = reply["choices"][0]["logprobs"]["content"]
    except (TypeError, KeyError, IndexError):
        return False
    if not isinstance(tokens, list):
        return False
    for token in tokens:
        name = token.get("top_logprobs") if isinstance(token, dict) else None
        if isinstance(name, str) and name in texts:
            token["top_logprobs"] = DeferredAlternatives(texts[name])
    return True
