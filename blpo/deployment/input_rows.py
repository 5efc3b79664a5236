"""Rows as `blpo judge` takes them, of a table or of stdin: images, a text, an id, and a label if there is one."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from blpo.data.labels import as_text, is_empty, label_reader
from blpo.data.rows import named_by, require_column
from blpo.data.sources import FileImage
from blpo.data.tables import Table
from blpo.data.wording import shown
from state.errors import DataError
from state.sample import ImageSource, Label, Sample
from state.settings import TaskSettings

PAIR = ("image_a", "image_b")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a dataset that a judge is shown, and the one it is compared with."""

    images: tuple[str, ...] = ()
    """Empty: `image`, or `image_a` and `image_b` where there are these."""
    text: str | None = None
    """None: `text` where there is such a column; so for the others."""
    id: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class UnusableImage:
    """The image of a row or folder that has none; it fails when it is read, so that the others are judged."""

    name: str
    problem: str

    def read(self) -> NoReturn:
        """Raise `DataError`."""
        raise DataError(f"{self.name}: {self.problem}")


class Labels:
    """Reads human labels as the judge's task has them.

    Nothing needs one; what is written there and is no label of the task is counted, or refused where `needed`.
    """

    def __init__(self, task: TaskSettings, *, needed: bool) -> None:
        self.task = task
        self.ignored = 0
        """Labels that are not the task's."""
        self.first_ignored = ""
        """What is wrong with the first of them."""
        self._needed = needed
        self._read = label_reader(task, None, ())

    def read(self, value: object, place: str) -> Label | None:
        """The label of one row, None where there is none; raises `DataError` for another one where it is needed."""
        if is_empty(value):
            return None
        try:
            return self._read(value)
        except ValueError as error:
            if self._needed:
                raise DataError(f"{place}: {error}; correct it, or leave it empty") from None
            self.ignored += 1
            self.first_ignored = self.first_ignored or f"{place}: {error}"
            return None


@dataclass(frozen=True, slots=True)
class TableInput:
    """The rows of a table."""

    table: Table
    sources: Sequence[Callable[[int, str], ImageSource]]
    paths: Sequence[Sequence[object]]
    """What the cells of the image columns say, where they name files."""
    texts: Sequence[object] | None
    ids: Sequence[object] | None
    labels: Sequence[Label | None]

    @property
    def may_be_labelled(self) -> bool:
        """Whether any row is."""
        return any(label is not None for label in self.labels)

    @classmethod
    def of(cls, table: Table, columns: Columns, labels: Labels) -> "TableInput":
        """Find the columns and read the labels; raises `DataError`."""
        names = columns.images or (PAIR if set(PAIR) <= set(table.columns) else ("image",))
        sources = [_sources(table, name) for name in names]
        paths = [] if any(table.cells(name) for name in names) else [table.values(name) for name in names]
        texts, ids = _optional(table, columns.text, "text"), _optional(table, columns.id, "id")
        given = _optional(table, columns.label, "label") or [None] * len(table.lines)
        read = [labels.read(value, f"{table.name}:{line}") for value, line in zip(given, table.lines, strict=True)]
        return cls(table, sources, paths, texts, ids, read)

    def count(self) -> int:
        """Rows that can be read."""
        return len(self.table.lines)

    def samples(self) -> Iterator[Sample]:
        """One a row, named by its id, else by its images as a dataset names it, else by its line."""
        if not self.table.lines:
            raise DataError(self.table.problems[0] if self.table.problems else f"{self.table.name}: has no rows")
        for index, line in enumerate(self.table.lines):
            place = f"{self.table.name}:{line}"
            images = tuple(source(index, place) for source in self.sources)
            given = as_text(self.ids[index]) if self.ids else None
            text = as_text(self.texts[index]) if self.texts else None
            written = named_by(as_text(column[index]) or "" for column in self.paths)
            yield Sample(given or written or place, images, self.labels[index], text)


@dataclass(frozen=True, slots=True)
class StdinInput:
    """A JSON object a line on stdin: `image` (a path), or `image_a` and `image_b`; perhaps `id`, `text`, `label`."""

    labels: Labels
    may_be_labelled = True

    def count(self) -> None:
        """Nobody knows."""

    def samples(self) -> Iterator[Sample]:
        """One a line that is not blank; a line that names no image fails when it is judged."""
        for number, text in enumerate(_stdin(), start=1):
            if text.strip():
                yield self._sample(text, f"stdin:{number}")

    def _sample(self, text: str, place: str) -> Sample:
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            return Sample(place, (UnusableImage(place, f"is not a JSON object ({shown(text.strip())})"),), None)
        names = PAIR if set(PAIR) <= set(row) else ("image",)
        images = tuple(_named_image(row, name, place) for name in names)
        given = as_text(row.get("id")) or (row["image"] if names == ("image",) and "image" in row else None)
        identity = given if isinstance(given, str) and given else place
        return Sample(identity, images, self.labels.read(row.get("label"), place), as_text(row.get("text")))


def _named_image(row: Mapping[str, object], name: str, place: str) -> ImageSource:
    path = row.get(name)
    if not isinstance(path, str) or not path.strip():
        return UnusableImage(place, f'has no "{name}" with the path of an image')
    return FileImage(path, f"{place}: {shown(path)}")


def _stdin() -> Iterator[str]:
    """Lines of stdin through a buffer of our own: the interpreter's can't be closed while a thread waits for it."""
    try:
        descriptor = os.dup(sys.stdin.fileno())
    except (AttributeError, io.UnsupportedOperation):
        yield from sys.stdin or ()
        return
    with open(descriptor, encoding="utf-8-sig", errors="replace") as stream:
        yield from stream


def _sources(table: Table, column: str) -> Callable[[int, str], ImageSource]:
    cells = table.cells(require_column(table, column, "image"))
    if cells is not None:
        return cells
    paths = table.values(column)

    def source(index: int, place: str) -> ImageSource:
        try:
            return FileImage(table.root.locate(as_text(paths[index]) or ""), place)
        except ValueError as error:
            return UnusableImage(place, str(error))

    return source


def _optional(table: Table, name: str | None, default: str) -> Sequence[object] | None:
    if name is not None:
        return table.values(require_column(table, name, default))
    return table.values(default) if default in table.columns else None
