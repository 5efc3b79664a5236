"""Labels as a table: columns by name, rows with the numbers that a person sees."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from blpo.data.class_folders import class_table
from blpo.data.dataset_root import DatasetRoot
from blpo.data.foreign_labels import suffix_problem
from blpo.data.part_files import hub_snapshot, part_files
from blpo.data.split_folders import joined_table, split_folders
from blpo.data.text_tables import read_text_table
from state.errors import DataError
from state.sample import ImageSource

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
LABEL_SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
LABEL_FILES = ("labels.csv", "labels.jsonl", "labels.parquet", "labels.tsv", "labels.json")
METADATA_FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""Labels files of image folders for the `datasets` library, read if a folder has no file of `LABEL_FILES`."""


_NAMES = (*LABEL_FILES, *METADATA_FILES)


class Table(Protocol):
    """Rows of labels, from any kind of storage."""

    @property
    def name(self) -> str:
        """Name of the file or dataset in messages."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        ...

    @property
    def lines(self) -> Sequence[int]:
        """Numbers of the rows: the line in a text file, otherwise the row's number from 1."""
        ...

    def place(self, row: int) -> str:
        """Return the place of a row in messages: `labels.csv:17`. Rows count from 0."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems of rows that could not be read at all."""
        ...

    @property
    def root(self) -> DatasetRoot:
        """Folder that image paths are relative to."""
        ...

    def values(self, column: str) -> Sequence[object]:
        """Return the values of a column, in the order of the rows."""
        ...

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None:
        """Return a maker of image sources from a row's number and name; None for a column of paths."""
        ...

    def cell_lists(self, column: str) -> Callable[[int, str], Sequence[ImageSource]] | None:
        """Return a maker of the image sources in a cell's list; None for a column without lists of encoded images."""
        ...


def open_table(path: str) -> Table:
    """Open `data.path`: a folder, a labels file, a saved dataset, a table in parts or `hub:OWNER/NAME`.

    Raises `DataError` for a path without a readable table.
    """
    if path.startswith("hub:"):
        from blpo.data.saved_dataset import open_hub

        return open_hub(path.removeprefix("hub:"))
    if not os.path.exists(path):
        raise DataError(f"{path}: does not exist; data.path names a folder with labels.csv, or a labels file")
    return _open_folder(Path(path)) if os.path.isdir(path) else _open_file(Path(path))


def label_files(folder: Path) -> list[Path]:
    """Return the files of a folder that are named in `LABEL_FILES`, else the files named in `METADATA_FILES`."""
    return _files(folder, LABEL_FILES) or _files(folder, METADATA_FILES)


def is_dataset_folder(folder: Path) -> bool:
    """Return True for a folder that `open_table` reads: a folder with a table, or with a folder for every label."""
    return has_table(folder) or class_table(folder) is not None


def has_table(folder: Path) -> bool:
    """Return True for a folder with a labels file, a saved dataset, folders of splits with labels files, or parts."""
    return bool(label_files(folder)) or _is_saved(folder) or is_divided(folder) or is_in_parts(folder)


def is_divided(folder: Path) -> bool:
    """Return True for a folder with folders of splits, such as train/ and test/, that hold labels files."""
    return bool(split_folders(folder, _NAMES))


def is_in_parts(folder: Path) -> bool:
    """Return True for a folder without labels file that holds a table in several files, also in the hub's cache."""
    place = hub_snapshot(folder)
    return not (label_files(folder) or _is_saved(folder)) and (place != folder or bool(part_files(folder)))


def _files(folder: Path, names: Sequence[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]


def _is_saved(folder: Path) -> bool:
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def _open_folder(folder: Path) -> Table:
    folder = hub_snapshot(folder)
    files = label_files(folder)
    if files:
        return _open_file(_only(folder, files))
    if _is_saved(folder):
        from blpo.data.saved_dataset import open_saved

        return open_saved(folder)
    if parts := split_folders(folder, _NAMES):
        return joined_table(folder, {place: _open_file(_only(place, files)) for place, files in parts.items()})
    if shards := part_files(folder):
        from blpo.data.joined_parts import JoinedParts

        return JoinedParts(folder, shards)
    table = class_table(folder)
    if table is None:
        raise DataError(
            f"{folder}: holds no labels.csv, labels.jsonl, labels.parquet, saved dataset or folders of labels"
        )
    return table


def _only(folder: Path, files: Sequence[Path]) -> Path:
    if len(files) > 1:
        raise DataError(
            f"{folder}: has {' and '.join(file.name for file in files)}; name the file to read in data.path"
        )
    return files[0]


def _open_file(file: Path) -> Table:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        from blpo.data.parquet_table import open_parquet

        return open_parquet(file)
    if suffix not in TEXT_SUFFIXES:
        problem = suffix_problem(file) or "is no labels file; expected .csv, .tsv, .jsonl, .json or .parquet"
        raise DataError(f"{file}: {problem}")
    return read_text_table(file)
