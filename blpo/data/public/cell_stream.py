"""Stream of the image cells of a parquet file. At most two pages are in memory, never a whole row group.

A page holds as many rows as its writer put in: about 100 images in files of the hub.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import pyarrow.parquet

from blpo.data.arrow_columns import holds_bytes
from blpo.data.arrow_errors import arrow_errors
from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_sources import file_stamp
from state.errors import DataError

_BATCH_ROWS = 4
"""Rows decoded at once."""
_BUFFER_BYTES = 1 << 20
"""Bytes read at once."""


class ActiveStream:
    """Active stream among streams that are read in sequence. Only the active stream holds a page in memory."""

    def __init__(self) -> None:
        self._stream: CellStream | None = None

    def activate(self, stream: "CellStream") -> None:
        """Make the stream the active stream, and release the stream before."""
        if self._stream is not None and self._stream is not stream:
            self._stream.release()
        self._stream = stream


class CellStream:
    """Column of images (a `blpo.data.image_sources.CellColumn`), cheap in rising order of rows.

    A step back reads the row group again from its start.
    """

    def __init__(self, file: Path, column: str, active: ActiveStream) -> None:
        """Open the file. Raises `DataError` for a column without bytes."""
        self.name = file.name
        self._path = file
        self._column = column
        self._active = active
        with arrow_errors(self.name):
            self._file = pyarrow.parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        kind = self._file.schema_arrow.field(column).type
        if not holds_bytes(kind):
            raise DataError(f"{self.name}: column {column!r} holds {kind}, expected images as bytes")
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = None
        self._group = -1
        self._start = 0

    def cell(self, row: int) -> object:
        """Return a cell. Rows count from 0. Raises `DataError`, with file and row, for a damaged file."""
        self._active.activate(self)
        try:
            with arrow_errors(f"{self.name}:{row + 1}"):
                self._go_to(row)
                return self._batch.column(0)[row - self._start].as_py()
        except DataError:
            self.release()  # after damage the position in the file is unknown
            raise

    def release(self) -> None:
        """Release the memory. The next read starts from the beginning of a row group."""
        self._batches, self._batch, self._group = iter(()), None, -1

    def stamp(self) -> str:
        """Return the file's stamp."""
        return file_stamp(str(self._path), self.name)

    def locate(self, relative: str) -> str:
        """Return the absolute path of a cell that holds a path below the file's folder."""
        return DatasetRoot(self._path.parent).locate(relative)

    def _go_to(self, row: int) -> None:
        """Read on, or begin a row group, until the batch in memory holds the row."""
        group = int(self._starts.searchsorted(row, side="right")) - 1
        if group != self._group or row < self._start:
            self.release()
            self._batches = self._file.iter_batches(_BATCH_ROWS, [group], [self._column], use_threads=False)
            self._batch, self._start, self._group = self._next_batch(), int(self._starts[group]), group
        while row >= self._start + len(self._batch):
            batch = self._next_batch()
            self._batch, self._start = batch, self._start + len(self._batch)

    def _next_batch(self) -> Any:
        batch = next(self._batches, None)
        if batch is None:
            raise ValueError("fewer rows than the metadata of the file says")
        return batch

    @cached_property
    def _starts(self) -> Any:
        metadata = self._file.metadata
        return numpy.cumsum([0, *(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups - 1))])
