"""Labels as a table: columns by name, rows numbered as a person counts them."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from blpo.data.sources import Root
from blpo.data.wording import shown
from state.errors import DataError
from state.sample import ImageSource

LABEL_FILES = ("labels.csv", "labels.jsonl", "labels.parquet")


class Table(Protocol):
    """Rows of labels, wherever they are stored."""

    @property
    def name(self) -> str:
        """The file or dataset, as messages name it."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        ...

    @property
    def lines(self) -> Sequence[int]:
        """One number a row: its line in a text file, else its number from 1."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """Rows that could not be read at all."""
        ...

    @property
    def root(self) -> Root:
        """What image paths are relative to."""
        ...

    def values(self, column: str) -> Sequence[object]:
        """One value a row."""
        ...

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """How to make the source of row i under a name; None for a column of paths."""
        ...


@dataclass(frozen=True)
class TextTable:
    """A .csv or .jsonl file, held in memory."""

    name: str
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    problems: tuple[str, ...]
    root: Root
    rows: tuple[Mapping[str, object], ...]

    def values(self, column: str) -> Sequence[object]:
        """One value a row; None where a row lacks the column."""
        return [row.get(column) for row in self.rows]

    def cells(self, column: str) -> None:
        """Text holds paths only."""
        return None


def open_table(path: str) -> Table:
    """Open `data.path`: a folder, a labels file, a saved dataset or `hub:OWNER/NAME`.

    Raises `DataError` where there is nothing readable, saying what is expected.
    """
    if path.startswith("hub:"):
        from blpo.data.arrow_tables import open_hub

        return open_hub(path.removeprefix("hub:"))
    if not os.path.exists(path):
        raise DataError(f"{path}: does not exist; data.path names a folder with labels.csv, or a labels file")
    return _open_folder(Path(path)) if os.path.isdir(path) else _open_file(Path(path))


def label_files(folder: Path) -> list[Path]:
    """The labels files that a folder has, of those that are looked for."""
    return [folder / name for name in LABEL_FILES if (folder / name).is_file()]


def _open_folder(folder: Path) -> Table:
    found = label_files(folder)
    if len(found) > 1:
        raise DataError(f"{folder}: has {' and '.join(file.name for file in found)}; name one of them in data.path")
    if found:
        return _open_file(found[0])
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        from blpo.data.arrow_tables import open_saved

        return open_saved(folder)
    raise DataError(f"{folder}: holds no labels.csv, labels.jsonl, labels.parquet or saved dataset")


def _open_file(file: Path) -> Table:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        from blpo.data.arrow_tables import open_parquet

        return open_parquet(file)
    if suffix not in (".csv", ".jsonl"):
        raise DataError(f"{file}: is no labels file; expected .csv, .jsonl or .parquet")
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            return _csv(file, stream) if suffix == ".csv" else _jsonl(file, stream)
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is not UTF-8 (byte {error.start}); save it as UTF-8") from error
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
            # A row is named by the line it begins on; quoted fields may span several.
            line, start = start, reader.line_num + 1
            if len(fields) == len(columns):
                rows.append(dict(zip(columns, fields, strict=True)))
                lines.append(line)
            elif fields:
                problems.append(f"{file.name}:{line}: has {len(fields)} fields, the header has {len(columns)}")
    except csv.Error as error:
        raise DataError(f"{file.name}:{reader.line_num}: is not valid CSV ({error})") from error
    return TextTable(file.name, tuple(columns), tuple(lines), tuple(problems), Root(file.parent), tuple(rows))


def _refuse_separator(file: Path, header: str) -> None:
    """Raise `DataError` where what is read as one column is several, as spreadsheets save them in many countries."""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header:
            raise DataError(f"{file}: separates its columns by {name} ({shown(header)}); save it with commas")


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
            problems.append(f"{file.name}:{line}: is not a JSON object ({shown(text.strip())})")
    return TextTable(file.name, tuple(columns), tuple(lines), tuple(problems), Root(file.parent), tuple(rows))
