"""Read a confidence that a model states in words."""

import json
import re

from blpo.models.thinking import without_thinking

_LONGEST = 2000
"""Characters at the end of a reply that are read."""
_OBJECT = re.compile(r"\{[^{}]*\}")
_BARE = re.compile(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*(%?)\s*\.?\s*")


def stated_confidence(text: str) -> float | None:
    """Return the confidence in a reply, in [0, 1]; None if the reply states none, or one out of range.

    The last JSON object with `confidence` decides; a reply without one may be a bare number. Numbers are percent; a
    fraction of at most 1 without a percent sign, such as 0.85, is a probability.
    """
    answer = without_thinking(text)[-_LONGEST:]
    for candidate in reversed(_OBJECT.findall(answer)):
        try:
            value = json.loads(candidate).get("confidence")
        except (ValueError, RecursionError):
            continue
        if isinstance(value, str):
            return _of_text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _share(float(value), is_fraction=isinstance(value, float))
    return _of_text(answer)


def _of_text(text: str) -> float | None:
    match = _BARE.fullmatch(text)
    return None if match is None else _share(float(match[1]), is_fraction="." in match[1] and not match[2])


def _share(number: float, *, is_fraction: bool) -> float | None:
    """Return a number of percent as a share; None out of range."""
    share = number if is_fraction and 0 < number <= 1 else number / 100
    return share if 0 <= share <= 1 else None
