"""Tables in text files: .csv and .jsonl, held in memory."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blpo.data.dataset_root import DatasetRoot
from blpo.data.message_text import display_text
from state.errors import DataError


@dataclass(frozen=True)
class TextTable:
    """Rows of a .csv or .jsonl file."""

    name: str
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    problems: tuple[str, ...]
    root: DatasetRoot
    rows: tuple[Mapping[str, object], ...]

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column, in the order of the rows; None for a row without the column."""
        return [row.get(column) for row in self.rows]

    def cells(self, column: str) -> None:
        """Return None: text holds paths only."""
        return None


def read_text_table(file: Path) -> TextTable:
    """Read a .csv or .jsonl file. Raises `DataError` for a file that is unreadable, not UTF-8, or no valid table."""
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            return _csv(file, stream) if file.suffix.lower() == ".csv" else _jsonl(file, stream)
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is not UTF-8 (byte {error.start}); save the file as UTF-8") from error
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror})") from error


def _csv(file: Path, stream: Iterator[str]) -> TextTable:
    reader = csv.reader(stream, strict=True)
    try:
        columns = next(reader, [])
        doubled = sorted({name for name in columns if columns.count(name) > 1})
        if not columns or doubled:
            raise DataError(f"{file}: " + (f"has the column {doubled[0]!r} twice" if columns else "is empty"))
        if len(columns) == 1:
            _refuse_separator(file, columns[0])
        rows, lines, problems = [], [], []
        start = reader.line_num + 1
        for fields in reader:
            # Messages name a row by its first line. Quoted fields may span several lines.
            line, start = start, reader.line_num + 1
            if len(fields) == len(columns):
                rows.append(dict(zip(columns, fields, strict=True)))
                lines.append(line)
            elif fields:
                problems.append(f"{file.name}:{line}: has {len(fields)} fields, the header has {len(columns)}")
    except csv.Error as error:
        raise DataError(f"{file.name}:{reader.line_num}: is not valid CSV ({error})") from error
    return TextTable(file.name, tuple(columns), tuple(lines), tuple(problems), DatasetRoot(file.parent), tuple(rows))


def _refuse_separator(file: Path, header: str) -> None:
    """Raise `DataError` for columns separated by semicolons or tabs, as spreadsheets save columns in many countries."""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header:
            raise DataError(
                f"{file}: separates its columns by {name} ({display_text(header)}); save the file with commas"
            )


def _jsonl(file: Path, stream: Iterator[str]) -> TextTable:
    rows: list[Mapping[str, object]] = []
    lines, problems = [], []
    columns: dict[str, None] = {}
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(row)
            lines.append(line)
            columns.update(dict.fromkeys(row))
        else:
            problems.append(f"{file.name}:{line}: is not a JSON object ({display_text(text.strip())})")
    return TextTable(file.name, tuple(columns), tuple(lines), tuple(problems), DatasetRoot(file.parent), tuple(rows))
