"""From the rows of a source's table to records. Every faulty row is reported."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from blpo.data.dataset_root import DatasetRoot
from blpo.data.labels import as_number, as_text
from blpo.data.message_text import column_hint, display_text
from blpo.data.public.public_set import Record, SourceProblem
from blpo.data.tables import Table
from blpo.data.text_tables import TextTable
from state.errors import DataError

SourceRow = Mapping[str, object]

_R = TypeVar("_R")


def read_records(
    table: Table, columns: Sequence[str], read_row: Callable[[SourceRow, int, str], _R]
) -> tuple[list[_R], list[SourceProblem]]:
    """Read every row. Raises `DataError` if the table lacks one of `columns`.

    `read_row` makes a record of the cells of a row, the row's number from 0, and the row's place. It raises
    `ValueError` for a faulty row.
    """
    values = {name: table.values(name) for name in require_columns(table, columns)}
    records: list[_R] = []
    problems = [SourceProblem(text) for text in table.problems]
    for index in range(len(table.lines)):
        place = table.place(index)
        try:
            records.append(read_row({name: column[index] for name, column in values.items()}, index, place))
        except ValueError as error:
            problems.append(SourceProblem(f"{place}: {error}"))
    return records, problems


def require_columns(table: Table, columns: Sequence[str]) -> Sequence[str]:
    """Return `columns`. Raises `DataError` for the first missing column, with the columns of the table."""
    for name in columns:
        if name not in table.columns:
            raise DataError(f"{table.name}: has no column {name!r}{column_hint(name, table.columns)}")
    return columns


def unique_records(records: Iterable[Record]) -> tuple[list[Record], list[SourceProblem]]:
    """Return the first record of every id, and a problem for every further record."""
    first: dict[str, Record] = {}
    problems = []
    for record in records:
        earlier = first.setdefault(record.id, record)
        if earlier is not record:
            problem = f"{record.place}: id {display_text(record.id)} is also the id of {earlier.place}"
            problems.append(SourceProblem(problem))
    return list(first.values()), problems


def read_json_table(file: Path, key: str | None = None) -> TextTable:
    """Read a .json file with a list of objects, or with an object that holds the list under `key`.

    A row's number is the place in the list, from 1.
    """
    try:
        rows = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: can't be read as JSON ({' '.join(str(error).split())[:120]})") from error
    if key is not None and isinstance(rows, dict):
        rows = rows.get(key)
    if not isinstance(rows, list):
        raise DataError(f"{file}: holds no list of rows")
    bad = [n for n, row in enumerate(rows, start=1) if not isinstance(row, dict)]
    problems = tuple(f"{file.name}:{n}: is not a JSON object ({display_text(rows[n - 1])})" for n in bad)
    objects = [(n, row) for n, row in enumerate(rows, start=1) if isinstance(row, dict)]
    columns = tuple(dict.fromkeys(name for _, row in objects for name in row))
    lines = tuple(n for n, _ in objects)
    return TextTable(file.name, columns, lines, problems, DatasetRoot(file.parent), tuple(row for _, row in objects))


def text_group(text: str | None) -> str | None:
    """Return the group of all rows with this text, in any case and spacing; None without a text."""
    folded = " ".join(text.casefold().split()) if text else ""
    return "text-" + sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:12] if folded else None


def required_text(row: SourceRow, column: str) -> str:
    """Return the text of a cell. Raises `ValueError` for an empty cell."""
    text = as_text(row[column])
    if text is None:
        raise ValueError(f"{column} is missing")
    return text


def required_integer(row: SourceRow, column: str, low: int, high: int) -> int:
    """Return the integer of a cell, in [low, high]. Raises `ValueError` for any other cell."""
    number = as_number(row[column])
    if number is None or not number.is_integer() or not low <= number <= high:
        raise ValueError(f"{column} {display_text(row[column])} is not an integer from {low} to {high}")
    return int(number)
