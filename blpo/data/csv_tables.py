"""Tables in CSV files, as spreadsheets and programs write them."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from state.errors import DataError

_SEPARATORS = (",", ";", "\t", "|")
"""Spreadsheets write semicolons in countries with a decimal comma, and tabs into .tsv and Unicode text."""
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""First line with which Excel names the separator."""
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_LARGEST_FIELD = 2**31 - 1
"""Limit of the csv module on every platform; the module's default is 131072."""


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Rows of a CSV file."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, object], ...]
    lines: tuple[int, ...]
    """Line of the file on which a row begins."""
    problems: tuple[str, ...]


def read_csv(name: str, path: str, stream: Iterator[str]) -> CsvRows:
    """Read a CSV file with commas, semicolons, tabs or bars.

    Rows without any value, unnamed columns at the end and empty fields beyond the header are left out, as spreadsheets
    leave such traces. Raises `DataError`, with `name` (of the file) or `path`, for text that is no table.
    """
    first, skipped, separator = _header_line(stream)
    csv.field_size_limit(_LARGEST_FIELD)
    reader = csv.reader(chain(first, stream), delimiter=separator, strict=True)
    try:
        header = _header(path, next(reader, []))
        rows: list[dict[str, object]] = []
        lines, problems = [], []
        start = reader.line_num + 1
        for fields in reader:
            # Messages name a row by its first line. Quoted fields may span several lines.
            line, start = start + skipped, reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            if len(fields) < header.width or any(field.strip() for field in fields[header.width_with_blanks :]):
                problems.append(f"{name}:{line}: has {len(fields)} fields, the header has {header.width}")
                continue
            rows.append({column: _plain(fields[at]) for column, at in header.places.items()})
            lines.append(line)
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num + skipped}: is not valid CSV ({error})") from error
    return CsvRows(tuple(header.places), tuple(rows), tuple(lines), tuple(problems))


def _plain(field: str) -> str:
    """Return a field without the formula that protects a text from a spreadsheet: `="007"` is 007."""
    text = _TEXT_FORMULA.fullmatch(field)
    return text[1].replace('""', '"') if text else field


@dataclass(frozen=True, slots=True)
class _Header:
    places: dict[str, int]
    """Number of the field (from 0) by column."""
    width: int
    """Number of fields up to the last named column."""
    width_with_blanks: int


def _header_line(stream: Iterator[str]) -> tuple[Iterable[str], int, str]:
    """Return the lines that were read and are not skipped, the number of skipped lines, and the separator.

    Skipped are blank lines, titles and comments above the header.
    """
    lines, skipped = _next_line(stream)
    while lines:
        if named := _SEPARATOR_LINE.fullmatch(lines[0]):
            return [], skipped + 1, named[1]
        following, blank_lines = _next_line(stream)
        between = ["\n"] * blank_lines
        if not following or not _is_title(lines[0], blank_lines, following[0]):
            return [*lines, *between, *following], skipped, _separator(lines[0])
        lines, skipped = following, skipped + 1 + blank_lines
    return [], skipped, _separator("")


def _next_line(stream: Iterator[str]) -> tuple[list[str], int]:
    """Return the next line that is not blank, or no line at the end, and the number of blank lines before."""
    blank_lines = 0
    for line in stream:
        if line.strip("\r\n\ufeff "):
            return [line], blank_lines
        blank_lines += 1
    return [], blank_lines


def _is_title(line: str, blank_lines: int, following: str) -> bool:
    """Return True for a comment (`# ...`), or for a line of one field above a blank line and a wider line."""
    width, next_width = _width(line), _width(following)
    if _is_comment(line):
        return width != next_width  # else `#image,label` is the header
    return width == 1 and blank_lines > 0 and (next_width > 1 or _is_comment(following))


def _is_comment(line: str) -> bool:
    return line.lstrip("\ufeff ").startswith("#")


def _width(line: str) -> int:
    """Return the number of fields up to the last that is not blank."""
    fields = next(csv.reader([line], delimiter=_separator(line)), [])
    return max((at + 1 for at, field in enumerate(fields) if field.strip()), default=0)


def _separator(line: str) -> str:
    """Return the separator that gives the header the most columns; the earlier separator if several do."""
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader([line], delimiter=separator), [])))


def _header(path: str, fields: Sequence[str]) -> _Header:
    names = [field.strip() for field in fields]
    width = max((at + 1 for at, name in enumerate(names) if name), default=0)
    if width == 0:
        raise DataError(f"{path}: is empty" if not fields else f"{path}: has no names of columns in the first line")
    places: dict[str, int] = {}
    for at, name in enumerate(names[:width]):
        if name and name in places:
            raise DataError(f"{path}: has the column {name!r} twice")
        places.setdefault(name, at)
    return _Header(places, width, len(names))
