"""Texts inside messages: a user's value, and a hint at the nearest name."""

from collections.abc import Sequence
from difflib import get_close_matches


def display_text(value: object) -> str:
    """Return a value for a message: a single line of at most 80 characters."""
    text = value if isinstance(value, str) and value.isprintable() and value else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def listed(texts: Sequence[str], most: int = 3) -> str:
    """Return the first texts for a message, and a count of the rest: `a, b, c and 4 more`."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(map(display_text, texts[:most])) + more


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return `; did you mean 'x'?` for the name most like `name`; empty if no name is like it."""
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    close = get_close_matches(name[:80].casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def column_hint(name: str, columns: Sequence[str]) -> str:
    """Return the end of a message that begins `has no column 'x'`: the nearest column, and a list of all columns."""
    hint = did_you_mean(name, columns)
    listing = ", ".join(map(display_text, columns)) or "none"
    return f"{hint} Columns: {listing}" if hint else f"; columns: {listing}"


def in_task(name: str, line: str) -> str:
    """Return a line about one of several tasks; the line itself for the name "" of a single task."""
    return f"{name}: {line}" if name else line
