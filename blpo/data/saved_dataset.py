"""Datasets of the `datasets` library as tables: saved to a folder, or fetched from the hub."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from blpo.data.arrow_columns import byte_counts_of, list_byte_counts_of
from blpo.data.arrow_errors import arrow_errors
from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_sources import CellImage, file_stamp
from blpo.data.list_cells import list_sources
from state.errors import DataError
from state.sample import ImageSource

_SPLIT = "split"


class SavedDataset:
    """A `datasets.Dataset`. The dataset is memory-mapped, so reading cells in any order costs nothing."""

    problems: tuple[str, ...] = ()

    def __init__(self, name: str, rows: Any, root: DatasetRoot) -> None:
        import datasets

        self.name = name
        self.root = root
        for column, feature in rows.features.items():
            if isinstance(feature, datasets.Image):
                rows = rows.cast_column(column, datasets.Image(decode=False))
            elif isinstance(feature, datasets.List) and isinstance(feature.feature, datasets.Image):
                rows = rows.cast_column(column, datasets.List(datasets.Image(decode=False)))
        self._rows = rows
        self.columns: tuple[str, ...] = tuple(rows.column_names)
        self.lines = range(1, len(rows) + 1)

    def place(self, row: int) -> str:
        """Return the name of the table and the number of a row, from 1. `row` counts from 0."""
        return f"{self.name}:{self.lines[row]}"

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column, in the order of the rows. A class is given by its name."""
        import datasets

        values: list[object] = self._rows[column][:]
        feature = self._rows.features[column]
        if isinstance(feature, datasets.ClassLabel):
            return [None if v is None or v == -1 else feature.int2str(v) for v in values]
        return values

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Return a maker of image sources for a column of images or bytes; None for a column of text."""
        import datasets

        feature = self._rows.features[column]
        if isinstance(feature, datasets.List) or (isinstance(feature, datasets.Value) and not _is_binary(feature)):
            return None
        cells = _SavedColumn(self, self._rows.select_columns([column]), column)
        return lambda row, name: CellImage(cells, row, name)

    def cell_lists(self, column: str) -> Callable[[int, str], Sequence[ImageSource]] | None:
        """Return a maker of the image sources in a list; None for a column without lists of images or bytes."""
        import datasets

        feature = self._rows.features[column]
        inner = feature.feature if isinstance(feature, datasets.List) else None
        if inner is None or not (isinstance(inner, datasets.Image) or _is_binary(inner)):
            return None
        return list_sources(_SavedColumn(self, self._rows.select_columns([column]), column))

    @property
    def schema(self) -> Any:
        """Schema of the columns."""
        return self._rows.features.arrow_schema

    @cached_property
    def stamp(self) -> str:
        """Stamps of the Arrow files behind the dataset."""
        files = [file["filename"] for file in self._rows.cache_files]
        return ",".join(file_stamp(file, self.name) for file in files)


@dataclass(frozen=True)
class _SavedColumn:
    table: SavedDataset
    rows: Any
    column: str

    def cell(self, row: int) -> object:
        with arrow_errors(self.table.name):
            return self.rows[row][self.column]

    def byte_counts(self) -> Sequence[int | None]:
        return self._byte_counts

    @cached_property
    def _byte_counts(self) -> Sequence[int | None]:
        with arrow_errors(self.table.name):
            return byte_counts_of(self.rows.with_format("arrow")[:].column(self.column))

    def list_byte_counts(self) -> Sequence[Sequence[int | None]]:
        return self._list_byte_counts

    @cached_property
    def _list_byte_counts(self) -> Sequence[Sequence[int | None]]:
        with arrow_errors(self.table.name):
            return list_byte_counts_of(self.rows.with_format("arrow")[:].column(self.column))

    def stamp(self) -> str:
        return self.table.stamp

    def locate(self, path: str) -> str:
        root = self.table.root
        return root.locate_real(path) if os.path.isabs(path) else root.locate(path)


def _is_binary(feature: object) -> bool:
    return "binary" in str(getattr(feature, "dtype", ""))


def open_saved(folder: Path) -> SavedDataset:
    """Open a folder made by `datasets.save_to_disk`. Several splits are joined, with their names as column `split`."""
    import datasets

    with arrow_errors(str(folder)):
        return SavedDataset(folder.name, _joined(datasets.load_from_disk(str(folder))), DatasetRoot(folder))


def open_arrow(file: Path) -> SavedDataset:
    """Open an Arrow file of the `datasets` library; raises `DataError` for any other file."""
    import datasets

    with arrow_errors(str(file)):
        return SavedDataset(file.name, datasets.Dataset.from_file(str(file)), DatasetRoot(file.parent))


def open_hub(name: str) -> SavedDataset:
    """Open a dataset of the hub. The first call fetches the dataset, later calls read the local cache.

    Raises `DataError` if the dataset can't be loaded.
    """
    import datasets
    import httpx

    try:
        rows = datasets.load_dataset(name)
    except (OSError, ValueError, RuntimeError, httpx.HTTPError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"hub:{name}: can't be loaded; loading needs the network or a local copy ({reason})") from error
    return SavedDataset(f"hub:{name}", _joined(rows), DatasetRoot(datasets.config.HF_CACHE_HOME))


def _joined(dataset: Any) -> Any:
    import datasets

    if not isinstance(dataset, datasets.DatasetDict):
        return dataset
    parts = []
    for name, rows in dataset.items():
        part = rows if _SPLIT in rows.column_names else rows.add_column(_SPLIT, [str(name)] * len(rows))
        parts.append(part)
    return datasets.concatenate_datasets(parts)
