"""Parts of a table, in several files, as one table."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow

from blpo.data.arrow_columns import holds_bytes
from blpo.data.dataset_root import DatasetRoot
from blpo.data.parquet_table import ParquetTable, open_parquet
from blpo.data.part_files import split_of
from blpo.data.saved_dataset import SavedDataset, open_arrow
from state.errors import DataError
from state.sample import ImageSource

_SPLIT = "split"


class JoinedParts:
    """Parts with the same columns, one after the other. The names of parts may give a column `split`."""

    problems: tuple[str, ...] = ()

    def __init__(self, folder: Path, files: Sequence[Path]) -> None:
        self.name = folder.resolve().name or str(folder)
        self.root = DatasetRoot(folder)
        self._parts = [_open_part(file) for file in files]
        self._ends = list(accumulate(len(part.lines) for part in self._parts))
        self.lines = range(1, self._ends[-1] + 1)
        _require_same_columns(folder, files, [part.schema for part in self._parts])
        splits = [split_of(file) for file in files]
        self._splits = splits if None not in splits and len(set(splits)) > 1 else None
        own = self._parts[0].columns
        if _SPLIT in own:
            self._splits = None
        self.columns: tuple[str, ...] = own if self._splits is None else (*own, _SPLIT)

    def place(self, row: int) -> str:
        """Return the name of the part and the number of the row in the part, from 1. `row` counts from 0."""
        number, inner = self._place(row)
        return self._parts[number].place(inner)

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column, in the order of the rows."""
        if self._splits is not None and column == _SPLIT:
            return [
                split for part, split in zip(self._parts, self._splits, strict=True) for _ in range(len(part.lines))
            ]
        return [value for part in self._parts for value in part.values(column)]

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Return a maker of image sources for a column of bytes or of mappings; None for a column of text."""
        if self._splits is not None and column == _SPLIT:
            return None
        makers = [part.cells(column) for part in self._parts]
        present = [make for make in makers if make is not None]
        if not present:
            return None

        def make_source(row: int, name: str) -> ImageSource:
            number, inner = self._place(row)
            return (makers[number] or present[0])(inner, name)

        return make_source

    def cell_lists(self, column: str) -> Callable[[int, str], Sequence[ImageSource]] | None:
        """Return a maker of the image sources in a cell's list; None for a column without lists of encoded images."""
        if self._splits is not None and column == _SPLIT:
            return None
        makers = [part.cell_lists(column) for part in self._parts]
        if not any(makers):
            return None

        def make_sources(row: int, name: str) -> Sequence[ImageSource]:
            number, inner = self._place(row)
            make = makers[number]
            return [] if make is None else make(inner, name)

        return make_sources

    def _place(self, row: int) -> tuple[int, int]:
        """Return the number of the part, and the row in the part; both count from 0."""
        number = bisect_right(self._ends, row)
        return number, row - (self._ends[number - 1] if number else 0)


def _open_part(file: Path) -> ParquetTable | SavedDataset:
    if file.suffix.lower() == ".parquet":
        return open_parquet(file)
    return open_arrow(file)


def _require_same_columns(folder: Path, files: Sequence[Path], schemas: Sequence[pyarrow.Schema]) -> None:
    """Raise `DataError` with the name of a file whose columns differ from those before, in name or in kind."""
    columns: dict[str, tuple[str, str]] = {}
    for file, schema in zip(files, schemas, strict=True):
        missing = sorted(set(schemas[0].names) ^ set(schema.names))
        if missing:
            raise DataError(
                f"{folder}: {file.name} and {files[0].name} have different columns ({', '.join(missing[:5])}); keep the"
                " files of one table in a folder"
            )
        for field in schema:
            kind = _kind(field.type)
            first, other = columns.setdefault(field.name, (file.name, kind)) if kind else ("", kind)
            if other != kind:
                raise DataError(
                    f"{folder}: column {field.name!r} holds {kind} in {file.name} and {other} in {first}; write one"
                    " kind into all files"
                )


def _kind(kind: Any) -> str:
    """Return the kind of values in words; empty for a column without values, which fits all kinds."""
    if pyarrow.types.is_null(kind):
        return ""
    if holds_bytes(kind):
        return "images or bytes"
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind) or pyarrow.types.is_string_view(kind):
        return "texts"
    is_number = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
    return "numbers" if is_number else str(kind)
