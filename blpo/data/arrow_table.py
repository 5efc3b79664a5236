"""Arrow tables in memory as tables of rows: a batch of Ray Data, Spark or `datasets`, or a piece of a Parquet file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow

from blpo.data.arrow_columns import class_names, holds_bytes, holds_lists_of_bytes
from blpo.data.dataset_root import DatasetRoot
from blpo.data.parquet_table import class_name
from state.errors import DataError
from state.image_names import require_few
from state.sample import ImageSource


@dataclass(frozen=True, slots=True)
class ArrowTable:
    """Rows of an Arrow table. `first` is the number of the first row in messages and ids."""

    rows: pyarrow.Table
    name: str
    root: DatasetRoot
    first: int = 1
    problems: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.rows.column_names)

    @property
    def lines(self) -> Sequence[int]:
        """Numbers of the rows."""
        return range(self.first, self.first + self.rows.num_rows)

    def place(self, row: int) -> str:
        """Return the name of the table and the number of a row. `row` counts from 0."""
        return f"{self.name}:{self.lines[row]}"

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column. A class is given by its name."""
        values: list[object] = self.rows.column(column).to_pylist()
        names = class_names(self.rows.schema, column)
        return [class_name(value, names) for value in values] if names else values

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Return a maker of image sources for a column of bytes or of mappings; None for a column of text."""
        if not holds_bytes(self.rows.schema.field(column).type):
            return None
        cells = self.rows.column(column)
        return lambda row, name: ArrowImage(cells[row], self.root, name)

    def cell_lists(self, column: str) -> Callable[[int, str], Sequence[ImageSource]] | None:
        """Return a maker of the image sources in a list; None for a column without lists of bytes or of mappings."""
        if not holds_lists_of_bytes(self.rows.schema.field(column).type):
            return None
        cells = self.rows.column(column)

        def sources(row: int, name: str) -> Sequence[ImageSource]:
            images = () if cells[row].values is None else cells[row].values
            require_few(len(images))
            return [ArrowImage(cell, self.root, f"{name}: image {place}") for place, cell in enumerate(images, 1)]

        return sources


@dataclass(frozen=True, slots=True)
class ArrowImage:
    """Image in a cell: bytes, or a mapping with `bytes` and `path`."""

    cell: Any
    root: DatasetRoot
    name: str

    def read(self) -> bytes:
        """Return the cell's bytes. Raises `DataError` for a cell without an image."""
        value = self.cell.as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if isinstance(content, bytes) and content:
            return content
        path = value.get("path") if isinstance(value, dict) else None
        if not path or not isinstance(path, str):
            raise DataError(f"{self.name}: holds no image; expected encoded bytes")
        try:
            return self.root.image(path, self.name).read()
        except ValueError as error:
            raise DataError(f"{self.name}: {error}") from None
