"""From the rows of a source's table to records, every bad row named and none dropped."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from blpo.data.dataset_root import DatasetRoot
from blpo.data.labels import as_number, as_text
from blpo.data.message_text import column_hint, display_text
from blpo.data.public.record import Problem, Record
from blpo.data.tables import Table
from blpo.data.text_tables import TextTable
from state.errors import DataError

Row = Mapping[str, object]

_T = TypeVar("_T")


def read_records(
    table: Table, columns: Sequence[str], read: Callable[[Row, int, str], _T]
) -> tuple[list[_T], list[Problem]]:
    """Read every row; raises `DataError` where the table lacks one of `columns`.

    `read` makes a record of a row's cells, its number from 0 and its place; it raises `ValueError`, saying what is
    wrong, for a row that is none.
    """
    values = {name: table.values(name) for name in required(table, columns)}
    records: list[_T] = []
    problems = [Problem(text) for text in table.problems]
    for index, line in enumerate(table.lines):
        place = f"{table.name}:{line}"
        try:
            records.append(read({name: column[index] for name, column in values.items()}, index, place))
        except ValueError as error:
            problems.append(Problem(f"{place}: {error}"))
    return records, problems


def required(table: Table, columns: Sequence[str]) -> Sequence[str]:
    """Return `columns`; raises `DataError` naming the first that the table lacks, and those it has."""
    for name in columns:
        if name not in table.columns:
            raise DataError(f"{table.name}: has no column {name!r}{column_hint(name, table.columns)}")
    return columns


def distinct(records: Iterable[Record]) -> tuple[list[Record], list[Problem]]:
    """The records whose id none before them has, and a problem for each other one."""
    first: dict[str, Record] = {}
    problems = []
    for record in records:
        earlier = first.setdefault(record.id, record)
        if earlier is not record:
            problems.append(Problem(f"{record.place}: id {display_text(record.id)} is also that of {earlier.place}"))
    return list(first.values()), problems


def json_rows(file: Path) -> TextTable:
    """A .json file that holds a list of objects; a row's number is its place in the list, from 1."""
    try:
        rows = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: can't be read as JSON ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(rows, list):
        raise DataError(f"{file}: holds no list of rows")
    bad = [n for n, row in enumerate(rows, start=1) if not isinstance(row, dict)]
    problems = tuple(f"{file.name}:{n}: is not a JSON object ({display_text(rows[n - 1])})" for n in bad)
    kept = [(n, row) for n, row in enumerate(rows, start=1) if isinstance(row, dict)]
    columns = tuple(dict.fromkeys(name for _, row in kept for name in row))
    lines = tuple(n for n, _ in kept)
    return TextTable(file.name, columns, lines, problems, DatasetRoot(file.parent), tuple(row for _, row in kept))


def text_group(text: str | None) -> str | None:
    """The group of all rows with this text, whatever its case and spaces; None without a text."""
    folded = " ".join(text.casefold().split()) if text else ""
    return "text-" + sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:12] if folded else None


def wanted_text(row: Row, column: str) -> str:
    """A cell that must hold text; raises `ValueError` where it is empty."""
    text = as_text(row[column])
    if text is None:
        raise ValueError(f"{column} is missing")
    return text


def wanted_integer(row: Row, column: str, low: int, high: int) -> int:
    """A cell that must hold an integer in [low, high]; raises `ValueError` for any other."""
    held = as_number(row[column])
    if held is None or not held.is_integer() or not low <= held <= high:
        raise ValueError(f"{column} {display_text(row[column])} is not an integer from {low} to {high}")
    return int(held)
