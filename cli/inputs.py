"""What `blpo judge` is given: image files, folders of images, and datasets whose labels are not needed."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from data.labels import as_text
from data.rows import require_column
from data.sources import IMAGE_SUFFIXES, FileImage, file_sample
from data.tables import LABEL_FILES, Table, open_table
from state.errors import DataError
from state.sample import ImageSource, Sample

DATASET_FILES = (*LABEL_FILES, "dataset_dict.json", "state.json")
"""One of these makes a folder a dataset."""

TABLE_SUFFIXES = {".csv", ".jsonl", ".parquet"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a dataset that a judge is shown."""

    images: tuple[str, ...] = ()
    """Empty: `image`, or `image_a` and `image_b` where there are these."""
    text: str | None = None
    """None: `text` where there is such a column."""
    id: str | None = None
    """None: `id` where there is such a column."""


@dataclass(frozen=True, slots=True)
class UnusableImage:
    """The image of a row or folder that has none; it fails when it is read, so that the others are judged."""

    name: str
    problem: str

    def read(self) -> NoReturn:
        """Raise `DataError`."""
        raise DataError(f"{self.name}: {self.problem}")


def samples_of(inputs: Sequence[Path], columns: Columns) -> Iterator[Sample]:
    """All samples in order, located but not read; an id that was there before gets a number.

    What lies there but can't be read, such as a dangling link or a pipe, is a sample too: it fails when it is read.
    Raises `DataError` for an input that does not exist (at once) or holds no image (in its turn).
    """
    for given in inputs:
        if not os.path.lexists(given):
            raise DataError(f"{given}: does not exist; give images, folders or datasets")
    return _numbered(sample for given in inputs for sample in _samples(given, columns))


def _numbered(samples: Iterable[Sample]) -> Iterator[Sample]:
    seen: Counter[str] = Counter()
    for sample in samples:
        seen[sample.id] += 1
        times = seen[sample.id]
        yield sample if times == 1 else replace(sample, id=f"{sample.id}#{times}")


def _samples(given: Path, columns: Columns) -> Iterator[Sample]:
    if given.is_dir() and not any((given / name).exists() for name in DATASET_FILES):
        return _images_below(given)
    if given.is_dir() or (given.suffix.lower() in TABLE_SUFFIXES and given.is_file()):
        return _rows(open_table(str(given)), columns)
    return iter([file_sample(given)])


def _images_below(folder: Path) -> Iterator[Sample]:
    empty = True
    unreadable: list[OSError] = []
    for path, folders, files in os.walk(folder, onerror=unreadable.append):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                empty = False
                yield file_sample(Path(path, name))
    for error in unreadable:
        yield Sample(
            str(error.filename), (UnusableImage(str(error.filename), f"can't be read ({error.strerror})"),), None
        )
    if empty and not unreadable:
        raise DataError(f"{folder}: holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}) and no labels file")


def _rows(table: Table, columns: Columns) -> Iterator[Sample]:
    pair = ("image_a", "image_b")
    names = columns.images or (pair if set(pair) <= set(table.columns) else ("image",))
    sources = [_sources(table, name) for name in names]
    texts, ids = _optional(table, columns.text, "text"), _optional(table, columns.id, "id")
    for index, line in enumerate(table.lines):
        place = f"{table.name}:{line}"
        images = tuple(source(index, place) for source in sources)
        given = as_text(ids[index]) if ids else None
        text = as_text(texts[index]) if texts else None
        yield Sample(given or place, images, None, text)


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
