"""From the rows of a table to samples, with every problem named by its row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from blpo.data.labels import as_text, label_reader
from blpo.data.sources import FileImage
from blpo.data.tables import Table
from blpo.data.wording import other_columns, shown
from state.errors import DataError
from state.sample import ImageSource, Sample, SplitName
from state.settings import DataSettings, SplitColumn, TaskSettings

SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}

_T = TypeVar("_T")
_ImageReader = Callable[[int, str], tuple[ImageSource, str]]
"""From a row's number (from 0) and place to its image and the id that this suggests; raises `ValueError`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One readable row."""

    sample: Sample
    split: SplitName | None
    """Where the table puts it; None where no column says so."""
    place: str
    """`labels.csv:17`."""


def read_rows(table: Table, data: DataSettings, task: TaskSettings) -> tuple[list[Row], list[str]]:
    """Return the rows that are fine, in order, and one line for each problem with the others.

    Raises `DataError` for a missing column.
    """
    if not table.lines:
        return [], list(table.problems)
    reader = _RowReader(table, data, task)
    rows: list[Row] = []
    problems = list(table.problems)
    places: dict[str, str] = {}
    for index, line in enumerate(table.lines):
        place = f"{table.name}:{line}"
        row, found = reader.read(index, place)
        if row is not None and places.setdefault(row.sample.id, place) != place:
            hint = "" if reader.has_ids else "; give each row an id of its own in a column named id"
            found.append(f"id {shown(row.sample.id)} is also that of {places[row.sample.id]}{hint}")
        if row is not None and not found:
            rows.append(row)
        problems += [f"{place}: {problem}" for problem in found]
    return rows, problems + _divided_groups(rows)


def require_column(table: Table, name: str, setting: str) -> str:
    """Return `name` if the table has it; raises `DataError` naming the columns there are and the nearest one."""
    if name in table.columns:
        return name
    raise DataError(f"{table.name}: has no column {name!r} (data.{setting}){other_columns(name, table.columns)}")


def named_by(images: Iterable[str]) -> str:
    """The id of a row that has none of its own, by what it says of its images."""
    return "|".join(dict.fromkeys(images))


class _RowReader:
    """Reads the fields of one row after the other, going on after a bad one so that all are reported."""

    def __init__(self, table: Table, data: DataSettings, task: TaskSettings) -> None:
        names = (data.image,) if isinstance(data.image, str) else data.image
        self._images = [_image_reader(table, require_column(table, name, "image")) for name in names]
        self._labels = table.values(require_column(table, data.label, "label"))
        self._label = label_reader(task, data.threshold, self._labels)
        self._texts = _optional(table, data.text, "text", default="text")
        self._ids = _optional(table, data.id, "id", default="id")
        self._groups = _optional(table, data.group, "group")
        column = data.split.column if isinstance(data.split, SplitColumn) else None
        self._splits = _optional(table, column, "split.column")
        self.has_ids = self._ids is not None

    def read(self, index: int, place: str) -> tuple[Row | None, list[str]]:
        """Return the row, None if it can't be read, and what is wrong with it."""
        problems: list[str] = []
        images = _tried(problems, lambda: [read(index, place) for read in self._images])
        label = _tried(problems, lambda: self._label(self._labels[index]))
        name = _tried(problems, lambda: self._id(index, images or []))
        split = _tried(problems, lambda: _split_name(self._splits[index]) if self._splits else None)
        if images is None or label is None or name is None:
            return None, problems
        text = as_text(self._texts[index]) if self._texts else None
        group = as_text(self._groups[index]) if self._groups else None
        sources = tuple(source for source, _ in images)
        return Row(Sample(name, sources, label, text, group), split, place), problems

    def _id(self, index: int, images: Sequence[tuple[ImageSource, str]]) -> str:
        if self._ids is None:
            return named_by(suggested for _, suggested in images)
        given = as_text(self._ids[index])
        if given is None:
            raise ValueError("id is missing")
        return given


def _tried(problems: list[str], read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except ValueError as error:
        problems.append(str(error))
        return None


def _optional(table: Table, name: str | None, setting: str, default: str | None = None) -> Sequence[object] | None:
    if name is not None:
        return table.values(require_column(table, name, setting))
    return table.values(default) if default in table.columns else None


def _image_reader(table: Table, column: str) -> _ImageReader:
    cells = table.cells(column)
    if cells is not None:
        return lambda index, place: (cells(index, place), f"row-{index + 1}")
    paths = table.values(column)

    def read(index: int, place: str) -> tuple[ImageSource, str]:
        written = paths[index]
        if not isinstance(written, str) or not written.strip():
            raise ValueError(f"image {shown(written)} is no path")
        return FileImage(table.root.locate(written), f"{place}: {shown(written)}"), written

    return read


def _split_name(value: object) -> SplitName:
    text = as_text(value) or ""
    name = SPLIT_NAMES.get(text.strip().casefold())
    if name is None:
        raise ValueError(f"split {shown(text)} is not train, validation or test")
    return name


def _divided_groups(rows: Sequence[Row]) -> list[str]:
    """One line for each group that the table's own splits divide."""
    first: dict[str, Row] = {}
    problems: dict[str, str] = {}
    for row in rows:
        group = row.sample.group
        if group is None or row.split is None:
            continue
        other = first.setdefault(group, row)
        if other.split != row.split:
            problems.setdefault(
                group,
                f"{row.place}: group {shown(group)} is in {row.split} here and in {other.split} at {other.place}; "
                "a group must stay in one split",
            )
    return list(problems.values())
