"""Image cells of a parquet file, streamed: two pages of the file are in memory at most, never a whole row group.

A page holds the rows that its writer put there: about 100 images as the hub writes them.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet

from blpo.data.arrow_errors import arrow_errors
from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_sources import file_stamp
from state.errors import DataError

_BATCH = 4
"""Rows decoded at once."""
_BUFFER = 1 << 20
"""Bytes read at once."""


class Turn:
    """Whose turn it is among streams that are read one after the other: the others hold no page in memory."""

    def __init__(self) -> None:
        self._holder: CellStream | None = None

    def take(self, stream: "CellStream") -> None:
        """Let the stream read; the one before it lets go."""
        if self._holder is not None and self._holder is not stream:
            self._holder.release()
        self._holder = stream


class CellStream:
    """A column of images (`blpo.data.sources.CellColumn`), cheap in rising order of rows: going back starts again."""

    def __init__(self, file: Path, column: str, turn: Turn) -> None:
        """Open it; raises `DataError` where the column holds no bytes."""
        self.name = file.name
        self._path = file
        self._column = column
        self._turn = turn
        with arrow_errors(self.name):
            self._file = pyarrow.parquet.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
        kind = self._file.schema_arrow.field(column).type
        is_bytes = pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)
        if not (is_bytes or pyarrow.types.is_struct(kind)):
            raise DataError(f"{self.name}: column {column!r} holds {kind}, expected images as bytes")
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = None
        self._group = -1
        self._start = 0

    def cell(self, row: int) -> object:
        """One cell; rows count from 0. Raises `DataError`, naming file and row, where the file is damaged."""
        self._turn.take(self)
        try:
            with arrow_errors(f"{self.name}:{row + 1}"):
                self._go_to(row)
                return self._batch.column(0)[row - self._start].as_py()
        except DataError:
            self.release()  # nobody knows where in the file the damage left it
            raise

    def release(self) -> None:
        """Let go of what is in memory; reading begins anew."""
        self._batches, self._batch, self._group = iter(()), None, -1

    def stamp(self) -> str:
        """Size and both ends of the file."""
        return file_stamp(str(self._path), self.name)

    def locate(self, written: str) -> str:
        """A cell may hold a path instead of bytes; it stays below the file's folder."""
        return DatasetRoot(self._path.parent).locate(written)

    def _go_to(self, row: int) -> None:
        """Read on, or begin a row group, until the batch in memory holds the row."""
        group = int(self._starts.searchsorted(row, side="right")) - 1
        if group != self._group or row < self._start:
            self.release()
            self._batches = self._file.iter_batches(_BATCH, [group], [self._column], use_threads=False)
            self._batch, self._start, self._group = self._next_batch(), int(self._starts[group]), group
        while row >= self._start + len(self._batch):
            following = self._next_batch()
            self._batch, self._start = following, self._start + len(self._batch)

    def _next_batch(self) -> Any:
        batch = next(self._batches, None)
        if batch is None:
            raise ValueError("it holds fewer rows than it says")
        return batch

    @cached_property
    def _starts(self) -> Any:
        about = self._file.metadata
        return numpy.cumsum([0, *(about.row_group(i).num_rows for i in range(about.num_row_groups - 1))])
