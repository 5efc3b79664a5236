"""Parquet files as tables. Image cells are read row group by row group."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow
import pyarrow.parquet

from blpo.data.arrow_columns import (
    byte_counts_of,
    class_names,
    holds_bytes,
    holds_lists_of_bytes,
    list_byte_counts_of,
)
from blpo.data.arrow_errors import arrow_errors
from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_sources import CellImage, file_stamp
from blpo.data.labels import ClassName
from blpo.data.list_cells import list_sources
from state.sample import ImageSource


class ParquetTable:
    """Parquet file. At most one row group of image cells is in memory at a time."""

    problems: tuple[str, ...] = ()

    def __init__(self, file: Path) -> None:
        self.name = file.name
        self.root = DatasetRoot(file.parent)
        self._path = str(file)
        self._file = pyarrow.parquet.ParquetFile(file)
        self.columns: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        self.lines = range(1, self._file.metadata.num_rows + 1)
        # Two threads must not read a ParquetFile at once.
        self._lock = Lock()
        self._groups: dict[str, tuple[int, Any]] = {}
        self._byte_counts: dict[str, list[int | None]] = {}
        self._list_byte_counts: dict[str, list[list[int | None]]] = {}

    @property
    def schema(self) -> Any:
        """Schema of the columns."""
        return self._file.schema_arrow

    def place(self, row: int) -> str:
        """Return the name of the table and the number of a row, from 1. `row` counts from 0."""
        return f"{self.name}:{self.lines[row]}"

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column, in the order of the rows. A class is given by its name."""
        with self._lock, arrow_errors(self.name):
            values: list[object] = self._file.read([column]).column(column).to_pylist()
        names = class_names(self._file.schema_arrow, column)
        return [class_name(value, names) for value in values] if names else values

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Return a maker of image sources for a column of bytes or of mappings; None for a column of text."""
        if not holds_bytes(self._file.schema_arrow.field(column).type):
            return None
        cells = _ParquetColumn(self, column)
        return lambda row, name: CellImage(cells, row, name)

    def cell_lists(self, column: str) -> Callable[[int, str], Sequence[ImageSource]] | None:
        """Return a maker of the image sources in a list; None for a column without lists of bytes or of mappings."""
        kind = self._file.schema_arrow.field(column).type
        return list_sources(_ParquetColumn(self, column)) if holds_lists_of_bytes(kind) else None

    def cell(self, column: str, row: int) -> object:
        """Return a cell. Rows count from 0. Neighbouring rows come from the last row group read."""
        with self._lock, arrow_errors(self.name):
            group, start = self._group_of(row)
            if self._groups.get(column, (-1, None))[0] != group:
                self._groups[column] = (group, self._file.read_row_group(group, columns=[column]).column(column))
            return self._groups[column][1][row - start].as_py()

    def byte_counts(self, column: str) -> Sequence[int | None]:
        """Return the number of bytes of every image cell. Reads the column once, row group by row group."""
        with self._lock, arrow_errors(self.name):
            if column not in self._byte_counts:
                self._byte_counts[column] = [count for part in self._parts(column) for count in byte_counts_of(part)]
            return self._byte_counts[column]

    def list_byte_counts(self, column: str) -> Sequence[Sequence[int | None]]:
        """Return the number of bytes of every image in every cell of lists. Reads the column as `byte_counts`."""
        with self._lock, arrow_errors(self.name):
            if column not in self._list_byte_counts:
                counts = [count for part in self._parts(column) for count in list_byte_counts_of(part)]
                self._list_byte_counts[column] = counts
            return self._list_byte_counts[column]

    def _parts(self, column: str) -> Iterator[Any]:
        groups = range(self._file.metadata.num_row_groups)
        return (self._file.read_row_group(group, columns=[column]).column(column) for group in groups)

    def _group_of(self, row: int) -> tuple[int, int]:
        starts = self._starts
        low = int(starts.searchsorted(row, side="right")) - 1
        return low, int(starts[low])

    @cached_property
    def _starts(self) -> Any:
        import numpy

        sizes = [self._file.metadata.row_group(i).num_rows for i in range(self._file.metadata.num_row_groups)]
        return numpy.cumsum([0, *sizes[:-1]])

    @cached_property
    def stamp(self) -> str:
        """Stamp of the file. The last bytes of the file hold the sizes and statistics of all columns."""
        return file_stamp(self._path, self.name)


@dataclass(frozen=True)
class _ParquetColumn:
    table: ParquetTable
    column: str

    def cell(self, row: int) -> object:
        return self.table.cell(self.column, row)

    def byte_counts(self) -> Sequence[int | None]:
        return self.table.byte_counts(self.column)

    def list_byte_counts(self) -> Sequence[Sequence[int | None]]:
        return self.table.list_byte_counts(self.column)

    def stamp(self) -> str:
        return self.table.stamp

    def locate(self, relative: str) -> str:
        return self.table.root.locate(relative)


def class_name(number: object, names: Sequence[str]) -> object:
    """Return the name of a class; None for a missing label, and any other value as it is."""
    if not isinstance(number, int) or isinstance(number, bool):
        return number
    if number == -1:  # a missing label, as the datasets library writes it
        return None
    return ClassName(names[number], number) if 0 <= number < len(names) else number


def open_parquet(file: Path) -> ParquetTable:
    """Open a parquet file. Raises `DataError` for a file that is no parquet file."""
    with arrow_errors(str(file)):
        return ParquetTable(file)
