"""How messages show what a user wrote."""

from collections.abc import Sequence
from difflib import get_close_matches


def shown(value: object) -> str:
    """A value as a message shows it: on one line, at most 80 characters."""
    text = value if isinstance(value, str) and value.isprintable() and value else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def nearest(name: str, names: Sequence[str]) -> str:
    """`; did you mean 'x'?` for the name most like `name`, or nothing."""
    folded = {known.casefold(): known for known in reversed(names)}
    close = get_close_matches(name[:80].casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def other_columns(name: str, columns: Sequence[str]) -> str:
    """What follows `has no column 'x'`: the column most like it, if one is, and all that there are."""
    near = nearest(name, columns)
    there = ", ".join(map(shown, columns)) or "none"
    return f"{near} Columns: {there}" if near else f"; columns: {there}"
