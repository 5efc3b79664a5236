"""Parquet files of a set as the hub names them, and their images."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from blpo.data.image_sources import CellImage
from blpo.data.message_text import did_you_mean
from blpo.data.parquet_table import open_parquet
from blpo.data.part_names import part_name
from blpo.data.public.cell_stream import ActiveStream, CellStream
from blpo.data.public.public_set import SourceProblem
from blpo.data.public.source_files import matching_files
from blpo.data.public.source_rows import SourceRow, read_records, require_columns
from blpo.data.tables import Table
from state.errors import ConfigError, DataError

RowImages = Callable[[str], CellImage]
"""Function from an image column to the image of a row."""
_R = TypeVar("_R")


def split_files(source: Path, split: str, folders: Sequence[str] = ("data",)) -> list[Path]:
    """Return the parquet files of a split, in the folder or in one of `folders`.

    The files are `SPLIT.parquet` or shards such as `SPLIT-00000-of-00004.parquet`; some shards are enough. Raises
    `DataError` for no file.
    """
    files = parquet_files(source, folders)
    chosen = [file for file in files if split_name(file) == split]
    if not chosen:
        others = sorted({split_name(file) for file in files})
        present = f"; the parquet files are of {', '.join(others)}" if others else ""
        places = " or ".join(f"{folder}/" for folder in folders)
        raise DataError(f"{source}: has no {split}-*.parquet, nor has {places}{present}")
    return chosen


def parquet_files(source: Path, folders: Sequence[str] = ("data",)) -> list[Path]:
    """Return the parquet files in the folder and in `folders`. Raises `DataError` if `source` is no folder."""
    patterns = ("*.parquet", *(f"{folder}/*.parquet" for folder in folders))
    return sorted(
        (file for pattern in patterns for file in matching_files(source, pattern)), key=lambda file: file.name
    )


def split_name(file: Path) -> str:
    """Return the split in a file's name."""
    return part_name(file.stem).table


def row_id(file: Path, index: int) -> str:
    """Return an id made of the shard and of the row's number, from 1."""
    return f"{part_name(file.stem).shard}/{index + 1:05}"


def require_subset(subsets: Sequence[str], names: Sequence[str], default: str) -> str:
    """Return the only chosen subset, or the default. Raises `ConfigError` for an unknown name and for several names."""
    if len(subsets) > 1:
        raise ConfigError(f"--subset: name one of {', '.join(names)}")
    name = subsets[0] if subsets else default
    if name not in names:
        raise ConfigError(f"--subset {name}: there are {', '.join(names)}{did_you_mean(name, list(names))}")
    return name


class CellImages:
    """Image columns of a set's parquet files. Of every column one page at a time is in memory."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._active = {column: ActiveStream() for column in columns}

    def open(self, file: Path, table: Table) -> "FileCells":
        """Return the images of a file. Raises `DataError` for a missing column and for a column without bytes."""
        require_columns(table, list(self._active))
        return FileCells({column: CellStream(file, column, active) for column, active in self._active.items()})


class FileCells:
    """Images in the cells of a file."""

    def __init__(self, streams: dict[str, CellStream]) -> None:
        self._streams = streams

    def image(self, column: str, index: int, place: str) -> CellImage:
        """Return the image of a row, named by the row's place."""
        return CellImage(self._streams[column], index, f"{place}: {column}")


def read_files(
    files: Sequence[Path],
    columns: Sequence[str],
    cells: CellImages,
    read_row: Callable[[SourceRow, str, str, RowImages], _R | None],
) -> tuple[list[_R], list[SourceProblem]]:
    """Read the rows of all files, as `read_records` reads a table.

    `read_row` makes a record of the cells of a row, the row's id, the row's place, and a function from an image column
    to the row's image; None for a row that is left out.
    """
    records: list[_R] = []
    problems: list[SourceProblem] = []
    for file in files:
        table = open_parquet(file)
        file_records, file_problems = read_records(table, columns, _reader(file, cells.open(file, table), read_row))
        records += [record for record in file_records if record is not None]
        problems += file_problems
    return records, problems


def _reader(
    file: Path, images: FileCells, read_row: Callable[[SourceRow, str, str, RowImages], _R | None]
) -> Callable[[SourceRow, int, str], _R | None]:
    def read(row: SourceRow, index: int, place: str) -> _R | None:
        return read_row(row, row_id(file, index), place, lambda column: images.image(column, index, place))

    return read
