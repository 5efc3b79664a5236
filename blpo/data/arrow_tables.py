"""Tables kept by Arrow: parquet files, saved datasets and datasets of the hub. Image cells are read one at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow
import pyarrow.parquet

from blpo.data.sources import CellImage, Root, file_stamp
from state.errors import DataError
from state.sample import ImageSource

_SPLIT = "split"


class ParquetTable:
    """A parquet file. Of its image cells at most one row group is in memory at a time."""

    problems: tuple[str, ...] = ()

    def __init__(self, file: Path) -> None:
        self.name = file.name
        self.root = Root(file.parent)
        self._path = str(file)
        self._file = pyarrow.parquet.ParquetFile(file)
        self.columns: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        self.lines = range(1, self._file.metadata.num_rows + 1)
        # A ParquetFile must not be read by two threads at once.
        self._lock = Lock()
        self._groups: dict[str, tuple[int, Any]] = {}

    def values(self, column: str) -> Sequence[object]:
        """One value a row."""
        with self._lock, readable(self.name):
            values: list[object] = self._file.read([column]).column(column).to_pylist()
        return values

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Sources for a column of bytes or of mappings with bytes; None for a column of text."""
        kind = self._file.schema_arrow.field(column).type
        if not (pyarrow.types.is_struct(kind) or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)):
            return None
        cells = _ParquetColumn(self, column)
        return lambda row, name: CellImage(cells, row, name)

    def cell(self, column: str, row: int) -> object:
        """One cell; rows count from 0. Neighbours are answered from the row group read last."""
        with self._lock, readable(self.name):
            group, start = self._group_of(row)
            if self._groups.get(column, (-1, None))[0] != group:
                self._groups[column] = (group, self._file.read_row_group(group, columns=[column]).column(column))
            return self._groups[column][1][row - start].as_py()

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
        """Identifies the file; its last bytes hold the sizes and statistics of all columns."""
        return file_stamp(self._path, self.name)


@dataclass(frozen=True)
class _ParquetColumn:
    table: ParquetTable
    column: str

    def cell(self, row: int) -> object:
        return self.table.cell(self.column, row)

    def stamp(self) -> str:
        return self.table.stamp

    def locate(self, written: str) -> str:
        return self.table.root.locate(written)


class SavedTable:
    """A `datasets.Dataset`: memory-mapped, so cells are read in any order at no cost."""

    problems: tuple[str, ...] = ()

    def __init__(self, name: str, rows: Any, root: Root) -> None:
        import datasets

        self.name = name
        self.root = root
        for column, feature in rows.features.items():
            if isinstance(feature, datasets.Image):
                rows = rows.cast_column(column, datasets.Image(decode=False))
        self._rows = rows
        self.columns: tuple[str, ...] = tuple(rows.column_names)
        self.lines = range(1, len(rows) + 1)

    def values(self, column: str) -> Sequence[object]:
        """One value a row; the names of a column of classes."""
        import datasets

        values: list[object] = self._rows[column][:]
        feature = self._rows.features[column]
        if isinstance(feature, datasets.ClassLabel):
            return [None if v is None or v == -1 else feature.int2str(v) for v in values]
        return values

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Sources for a column of images or bytes; None for a column of text."""
        import datasets

        feature = self._rows.features[column]
        if isinstance(feature, datasets.Value) and "binary" not in feature.dtype:
            return None
        cells = _SavedColumn(self, self._rows.select_columns([column]), column)
        return lambda row, name: CellImage(cells, row, name)

    @cached_property
    def stamp(self) -> str:
        """Identifies the Arrow files behind the dataset."""
        files = [file["filename"] for file in self._rows.cache_files]
        return ",".join(file_stamp(file, self.name) for file in files)


@dataclass(frozen=True)
class _SavedColumn:
    table: SavedTable
    rows: Any
    column: str

    def cell(self, row: int) -> object:
        with readable(self.table.name):
            return self.rows[row][self.column]

    def stamp(self) -> str:
        return self.table.stamp

    def locate(self, written: str) -> str:
        root = self.table.root
        return root.locate_real(written) if os.path.isabs(written) else root.locate(written)


def open_parquet(file: Path) -> ParquetTable:
    """Open a parquet file; raises `DataError` where it is none."""
    with readable(str(file)):
        return ParquetTable(file)


def open_saved(folder: Path) -> SavedTable:
    """Open a folder written by `datasets.save_to_disk`; of several splits, all, with their names as column `split`."""
    import datasets

    with readable(str(folder)):
        return SavedTable(folder.name, _joined(datasets.load_from_disk(str(folder))), Root(folder))


def open_hub(name: str) -> SavedTable:
    """Open a dataset of the hub, fetched once and then from the local cache; raises `DataError` where it can't be."""
    import datasets
    import httpx

    try:
        rows = datasets.load_dataset(name)
    except (OSError, ValueError, RuntimeError, httpx.HTTPError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"hub:{name}: can't be loaded; it needs the network, or a copy fetched before ({reason})"
        ) from error
    return SavedTable(f"hub:{name}", _joined(rows), Root(datasets.config.HF_CACHE_HOME))


def _joined(loaded: Any) -> Any:
    import datasets

    if not isinstance(loaded, datasets.DatasetDict):
        return loaded
    parts = []
    for name, rows in loaded.items():
        named = rows if _SPLIT in rows.column_names else rows.add_column(_SPLIT, [str(name)] * len(rows))
        parts.append(named)
    return datasets.concatenate_datasets(parts)


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Tell what Arrow raises inside as a `DataError` that names the table."""
    try:
        yield
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{name}: can't be read as a table ({reason})") from error
