"""Statements of a text about an image, compared with the perceived attributes.

A statement is an attribute with a level: `noise is high`, `high contrast`. The embedded judge reads nothing else.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from statistics import fmean

from blpo.models.embedded.rubric import LEVEL_CENTRES
from blpo.models.embedded.vocabulary import ATTRIBUTES, LEVELS

NO_STATEMENT = 2.0
"""Distance of a text without any statement, in levels: about that of a guess."""

_LEVEL = 20.0
_NAMES = {word: attribute.name for attribute in ATTRIBUTES for word in (attribute.name, *attribute.aliases)}


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_CLAIM = re.compile(
    rf"\b(?:(?P<name>{_any_of(_NAMES)}) (?:is|are) (?P<level>{_any_of(LEVELS)})"
    rf"|(?P<level_before>{_any_of(LEVELS)}) (?P<noun>{_any_of(_NAMES)}))\b"
)


@lru_cache(maxsize=256)
def read_claims(text: str) -> tuple[tuple[str, float], ...]:
    """Return the attributes that a text states, with the middle of the stated level (0 to 100), in order.

    The first statement about an attribute counts.
    """
    claims: dict[str, float] = {}
    for match in _CLAIM.finditer(" ".join(text.lower().split())):
        name, level = _NAMES[match["name"] or match["noun"]], match["level"] or match["level_before"]
        claims.setdefault(name, LEVEL_CENTRES[level])
    return tuple(claims.items())


def distance(claims: Iterable[tuple[str, float]], values: Mapping[str, float]) -> float:
    """Return the mean distance of statements from the values (0 to 100), in levels."""
    distances = [abs(centre - values[name]) / _LEVEL for name, centre in claims if name in values]
    return fmean(distances) if distances else NO_STATEMENT
