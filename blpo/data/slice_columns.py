"""Columns of `data.slices`: a sample's values as texts."""

from collections import Counter
from collections.abc import Sequence

from blpo.data.columns import require_column
from blpo.data.labels import as_text
from blpo.data.tables import Table
from state.errors import DataError

EMPTY = "(empty)"
"""Value of an empty cell."""
_LONGEST = 60
_MOST_VALUES = 20
"""Values of a column that `slice_candidates` names."""


def slice_columns(table: Table, names: Sequence[str]) -> list[tuple[str, Sequence[object]]]:
    """Return the columns with their values. Raises `DataError` for a missing column and for a column of images."""
    columns = [require_column(table, name, "slices") for name in names]
    for name in columns:
        if table.cells(name) is not None:
            raise DataError(f"{table.name}: column {name!r} (data.slices) holds images; name a column of texts")
    return [(name, table.values(name)) for name in dict.fromkeys(columns)]


def slice_text(value: object) -> str:
    """Return a cell as a text on a single line, without control characters, of at most 60 characters."""
    text = as_text(value)
    if text is None:
        return EMPTY
    words = " ".join(text[: 20 * _LONGEST].split())
    clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words)
    return (clean if len(clean) <= _LONGEST else clean[: _LONGEST - 3] + "...") or EMPTY


def slice_candidates(table: Table, used: Sequence[str]) -> dict[str, int]:
    """Return columns with few repeated values, apart from the columns `used`, and their numbers of values."""
    candidates = {}
    for name in table.columns:
        if name in used or table.cells(name) is not None:
            continue
        counts = Counter(map(slice_text, table.values(name)))
        if 2 <= len(counts) <= _MOST_VALUES and len(counts) * 2 <= len(table.lines):
            candidates[name] = len(counts)
    return candidates
