"""Tables in text files: .csv, .tsv, .jsonl and .json, held in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from blpo.data.csv_tables import read_csv
from blpo.data.dataset_root import DatasetRoot
from blpo.data.foreign_labels import content_problem, export_problem
from blpo.data.message_text import display_text
from blpo.data.text_encoding import content_start, encoding_problem, text_encoding
from state.errors import DataError


@dataclass(frozen=True)
class TextTable:
    """Rows of a text file."""

    name: str
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    problems: tuple[str, ...]
    root: DatasetRoot
    rows: tuple[Mapping[str, object], ...]
    places: tuple[str, ...] = ()
    """Places of the rows if the rows come from several files; empty for a single file."""

    def place(self, row: int) -> str:
        """Return the file and the line of a row. Rows count from 0."""
        return self.places[row] if self.places else f"{self.name}:{self.lines[row]}"

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column, in the order of the rows; None for a row without the column."""
        return [row.get(column) for row in self.rows]

    def cells(self, column: str) -> None:
        """Return None: text holds paths only."""
        return None

    def cell_lists(self, column: str) -> None:
        """Return None: lists in text hold paths only."""
        return None


def read_text_table(file: Path) -> TextTable:
    """Read a .csv, .tsv, .jsonl, .ndjson or .json file, in UTF-8 or UTF-16.

    Raises `DataError` for a file that is no table, and for the export of a labelling tool.
    """
    reader = {".jsonl": _jsonl, ".ndjson": _jsonl, ".json": _json}.get(file.suffix.lower(), _csv)
    try:
        if problem := content_problem(content_start(file)):
            raise DataError(f"{file}: {problem}")
        with open(file, encoding=text_encoding(file), newline="") as stream:
            return reader(file, stream)
    except UnicodeError as error:
        problem = encoding_problem(file, error) if isinstance(error, UnicodeDecodeError) else f"{file}: {error}"
        raise DataError(problem) from error
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror})") from error


def _csv(file: Path, stream: TextIO) -> TextTable:
    table = read_csv(file.name, str(file), stream)
    return TextTable(file.name, table.columns, table.lines, table.problems, DatasetRoot(file.parent), table.rows)


def _jsonl(file: Path, stream: TextIO) -> TextTable:
    rows: list[Mapping[str, object]] = []
    lines: list[int] = []
    problems = []
    columns: dict[str, None] = {}
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            if not rows:
                _refuse_export(file, [row])
            rows.append(row)
            lines.append(line)
            columns.update(dict.fromkeys(row))
        else:
            problems.append(f"{file.name}:{line}: is not a JSON object ({display_text(text.strip())})")
    return TextTable(file.name, tuple(columns), tuple(lines), tuple(problems), DatasetRoot(file.parent), tuple(rows))


def _json(file: Path, stream: TextIO) -> TextTable:
    """Read a list of objects, also in an object with this list alone, or an object with a label by image.

    A file with an object per line is read as .jsonl.
    """
    try:
        content = json.load(stream)
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
            stream.seek(0)
            return _jsonl(file, stream)
        raise DataError(f"{file}: is no JSON ({error})") from None
    _refuse_export(file, content)
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        is_by_image = not any(isinstance(value, list | dict) for value in content.values())
        by_image = [{"image": image, "label": label} for image, label in content.items()] if is_by_image else None
        content = lists[0] if len(lists) == 1 else by_image
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise DataError(f"{file}: is no table; expected a list of objects, or an object with a label by image")
    columns = dict.fromkeys(name for row in content for name in row)
    lines = tuple(range(1, len(content) + 1))
    return TextTable(file.name, tuple(columns), lines, (), DatasetRoot(file.parent), tuple(content))


def _refuse_export(file: Path, content: object) -> None:
    """Raise `DataError` for the export of a labelling tool."""
    if problem := export_problem(content):
        raise DataError(f"{file}: {problem}")
