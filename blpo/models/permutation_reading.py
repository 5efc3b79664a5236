"""Read a permutation, such as `[2, 1, 3]`, from a judge's reply about several images.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import re

from blpo.models.answer_wrapping import WRAPPING

_LONGEST_PERMUTATION = 400
"""Characters of a text that can be a permutation."""
_NOUN = re.compile(r"\b(?:image|img|picture)\s{0,3}(?:no\.)?\s?#?(?=[0-9])", re.IGNORECASE)
_NUMBER_ALONE = re.compile(r"[\"'*_`#]{0,4}([0-9]{1,3})[\"'*_`]{0,4}")
_SEPARATOR = re.compile(r"\s*(?:>|,|;|→|-+>|≻|\bthen\b)\s*|\s+(?=[\"'*_`#0-9])", re.IGNORECASE)


def read_permutation(value: object, images: int) -> str | None:
    """Return `2>1>3` for a JSON value or a text that names each number from 1 to `images` once, best first; else None.

    A text separates the numbers by `>`, commas or spaces, and a number may be written `Image 2`. Numbers twice, missing
    numbers, ties and other words give None.
    """
    places = _places(value)
    return ">".join(map(str, places)) if sorted(places) == list(range(1, images + 1)) else None


def named_permutation(line: str, images: int) -> tuple[bool, str | None]:
    """Return (True, permutation) if `line` begins with a number; the permutation is None if the line says more."""
    begins = _NUMBER_ALONE.match(_without_nouns(line).lstrip(WRAPPING))
    return begins is not None, read_permutation(line, images)


def _places(value: object) -> list[int]:
    """Return the numbers of a list or a text; empty if another thing stands among the numbers."""
    items = _items(value) if isinstance(value, str) else value
    if not isinstance(items, list):
        return []
    places = [_place(item) for item in items[:100]]
    return [place for place in places if place is not None] if None not in places else []


def _items(text: str) -> list[str]:
    if len(text) > _LONGEST_PERMUTATION:
        return []
    return [item for item in _SEPARATOR.split(_without_nouns(text).strip(WRAPPING)) if item]


def _place(item: object) -> int | None:
    if isinstance(item, str):
        match = _NUMBER_ALONE.fullmatch(_without_nouns(item).strip(WRAPPING))
        return int(match[1]) if match else None
    if isinstance(item, float) and item.is_integer():
        return int(item)
    return item if isinstance(item, int) and not isinstance(item, bool) else None


def _without_nouns(text: str) -> str:
    return _NOUN.sub("", text[:_LONGEST_PERMUTATION])
