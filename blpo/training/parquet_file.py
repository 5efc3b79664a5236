"""Training data as one Parquet file, written in row groups: memory stays flat with the number of examples."""

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from blpo.training.examples import TrainingExample

TRAIN = "train.parquet"
_ROWS = 64
"""Rows of a group; a row holds its images."""


class ParquetFile:
    """Writer of train.parquet; `row` makes a row of an example."""

    def __init__(self, folder: Path, schema: pa.Schema, row: Callable[[TrainingExample], dict[str, Any]]) -> None:
        self._writer = pq.ParquetWriter(folder / TRAIN, schema)
        self._schema, self._row = schema, row
        self._rows: list[dict[str, Any]] = []

    def add(self, example: TrainingExample) -> None:
        """Write an example."""
        self._rows.append(self._row(example))
        if len(self._rows) == _ROWS:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


def image_cells(example: TrainingExample) -> list[dict[str, Any]]:
    """Return the images of a message, in order, as cells with the encoded bytes."""
    return [{"bytes": b64decode(image.base64), "path": None} for image in example.images]
