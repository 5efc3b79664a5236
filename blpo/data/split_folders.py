"""Folders of splits, each with a labels file, as one table: `train/metadata.csv` and `test/metadata.csv`.

Image folders of the `datasets` library have this layout. The name of a folder is the split of its rows.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Protocol

from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.labels import as_text
from blpo.data.list_cells import paths_in
from blpo.data.message_text import display_text
from blpo.data.similar_names import read_alike
from blpo.data.split_words import SPLIT_NAMES
from blpo.data.text_tables import TextTable
from state.errors import DataError
from state.sample import ImageSource

_SPLIT = "split"
_IMAGE_COLUMNS = frozenset(("file_name", "image", "image_a", "image_b"))


class _Part(Protocol):
    """Table of one folder (a `blpo.data.tables.Table`)."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def lines(self) -> Sequence[int]: ...

    @property
    def problems(self) -> tuple[str, ...]: ...

    def values(self, column: str) -> Sequence[object]: ...

    def cells(self, column: str) -> Callable[[int, str], ImageSource] | None: ...

    def cell_lists(self, column: str) -> Callable[[int, str], Sequence[ImageSource]] | None: ...


def split_folders(folder: Path, names: Sequence[str]) -> dict[Path, list[Path]]:
    """Return the labels files, among `names`, of the folders of splits, directly in `folder` or one folder deeper.

    Empty for fewer than two folders of splits with a labels file.
    """
    for pattern in ("*", "*/*"):
        places = sorted(place for place in folder.glob(pattern) if read_alike(place.name) in SPLIT_NAMES)
        files = {place: [place / name for name in names if (place / name).is_file()] for place in places}
        files = {place: tables for place, tables in files.items() if tables}
        if len(files) > 1:
            return files
    return {}


def joined_table(folder: Path, parts: Mapping[Path, _Part]) -> TextTable:
    """Join the tables of the folders of splits. Paths of images then count from `folder`.

    A row with another split than its folder is a problem. Raises `DataError` for images in cells.
    """
    rows: list[dict[str, object]] = []
    places: list[str] = []
    problems: list[str] = []
    for place, table in parts.items():
        inner = place.relative_to(folder).as_posix()
        problems += [f"{inner}/{problem}" for problem in table.problems]
        values = {name: _from_folder(folder, inner, table, name) for name in table.columns}
        for index, line in enumerate(table.lines):
            row = {name: column[index] for name, column in values.items()}
            row_place = f"{inner}/{table.name}:{line}"
            if problem := _split_problem(row, place.name):
                problems.append(f"{row_place}: {problem}")
                continue
            rows.append({**row, _SPLIT: place.name})
            places.append(row_place)
    columns = tuple(dict.fromkeys((*(name for table in parts.values() for name in table.columns), _SPLIT)))
    lines = tuple(range(1, len(rows) + 1))
    name = folder.resolve().name or str(folder)
    return TextTable(name, columns, lines, tuple(problems), DatasetRoot(folder), tuple(rows), tuple(places))


def _split_problem(row: Mapping[str, object], name: str) -> str:
    """Return the problem of a row that names another split than its folder; else an empty text."""
    split = as_text(row.get(_SPLIT))
    if split is None or SPLIT_NAMES.get(read_alike(split)) == SPLIT_NAMES[read_alike(name)]:
        return ""
    return f"split {display_text(split)} is not the split of the folder, {name}; correct the row, or move it"


def _from_folder(folder: Path, inner: str, table: _Part, column: str) -> Sequence[object]:
    """Return the values of a column. Paths of images are given from `folder`."""
    if table.cells(column) is not None or table.cell_lists(column) is not None:
        raise DataError(
            f"{inner}/{table.name}: column {column!r} holds images; join the tables of the splits into one file, or "
            "write paths of images"
        )
    values = table.values(column)
    if column not in _IMAGE_COLUMNS and not _are_paths(values):
        return values
    return [_paths(folder, inner, value) for value in values]


def _are_paths(values: Sequence[object]) -> bool:
    lists = [value if (paths := paths_in(value)) is None else paths for value in values]
    flat = [path for value in lists for path in (value if isinstance(value, list) else [value])]
    texts = [value for value in flat if isinstance(value, str) and value.strip()]
    return bool(texts) and all(PurePath(text).suffix.strip().lower() in IMAGE_SUFFIXES for text in texts)


def _paths(folder: Path, inner: str, value: object) -> object:
    """Return a path, or each path of a list, from `folder`; other values stay."""
    paths = paths_in(value)
    if paths is not None:
        return [_paths(folder, inner, path) for path in paths]
    return _path(folder, inner, value) if isinstance(value, str) else value


def _path(folder: Path, inner: str, value: str) -> str:
    """Return a path from `folder`. A path that already begins with the folder of the split stays."""
    if not value.strip() or PurePath(value).is_absolute() or "://" in value:
        return value
    if value.startswith(f"{inner}/") and not (folder / inner / value).exists() and (folder / value).exists():
        return value
    return f"{inner}/{value}"
