"""Rows of a table as samples: images, a text, an id, and a label if present."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from blpo.data.column_proposal import image_columns
from blpo.data.columns import require_column
from blpo.data.image_sources import FileImage
from blpo.data.labels import as_text
from blpo.data.rows import id_from_images
from blpo.data.tables import Table
from blpo.deployment.input_labels import InputLabels, UnusableImage
from state.errors import DataError
from state.sample import ImageSource, Label, Sample


@dataclass(frozen=True, slots=True)
class InputColumns:
    """Columns of a table that the judge sees, and the column of the human label."""

    images: tuple[str, ...] = ()
    """Empty: `image_a` and `image_b` if the table has both, else `image`, else a column that looks like images."""
    text: str | None = None
    """None: `text` if the table has such a column. `id`, `label` and `group` have the same rule."""
    id: str | None = None
    label: str | None = None
    group: str | None = None
    """Samples of one group, such as images of one text, are one observation."""


@dataclass(frozen=True, slots=True)
class TableInput:
    """Rows of a table."""

    table: Table
    sources: Sequence[Callable[[int, str], ImageSource]]
    paths: Sequence[Sequence[object]]
    """Cells of the image columns if the cells name files, else empty."""
    texts: Sequence[object] | None
    ids: Sequence[object] | None
    labels: Sequence[Label | None]
    ratings: Sequence[float | None]
    """Ratings with fractions, where `task.round` is none; ranks or ratings of images in lists."""
    groups: Sequence[object]
    """Group of every row; empty without groups. Rows of one image are a group if the table has no groups."""

    @property
    def may_be_labelled(self) -> bool:
        """True if any row has a label, or a rank in a list."""
        return any(label is not None for label in (*self.labels, *self.ratings))

    @classmethod
    def of(cls, table: Table, columns: InputColumns, labels: InputLabels) -> "TableInput":
        """Find the columns and read the labels; raises `DataError`."""
        names = columns.images or image_columns(table) or ("image",)
        sources = [_sources(table, name) for name in names]
        paths = [] if any(table.cells(name) for name in names) else [table.values(name) for name in names]
        texts, ids = _optional(table, columns.text, "text"), _optional(table, columns.id, "id")
        values = _optional(table, columns.label, "label") or [None] * len(table.lines)
        places = list(map(table.place, range(len(table.lines))))
        groups = _optional(table, columns.group, "group") or _same_images(paths)
        if labels.task.kind == "ranking":
            ranks = list(map(labels.rank, values, places))
            return cls(table, sources, paths, texts, ids, [None] * len(ranks), ranks, _lists(table, columns))
        labelled = list(map(labels.read, values, places))
        return cls(table, sources, paths, texts, ids, labelled, list(map(labels.rating, values, labelled)), groups)

    def count(self) -> int:
        """Return the number of readable rows."""
        return len(self.table.lines)

    def samples(self) -> Iterator[Sample]:
        """Yield a sample per row, named by id, else by image path as in a dataset, else by line."""
        if not self.table.lines:
            raise DataError(self.table.problems[0] if self.table.problems else f"{self.table.name}: has no rows")
        for index in range(len(self.table.lines)):
            place = self.table.place(index)
            images = tuple(source(index, place) for source in self.sources)
            identity = as_text(self.ids[index]) if self.ids else None
            text = as_text(self.texts[index]) if self.texts else None
            path = id_from_images(as_text(column[index]) or "" for column in self.paths)
            group = as_text(self.groups[index]) if self.groups else None
            label, rating = self.labels[index], self.ratings[index]
            yield Sample(identity or path or place, images, label, text, group, rating)


def _lists(table: Table, columns: InputColumns) -> Sequence[object]:
    """Return the list of every row; raises `DataError` for a table without such a column, and a row without a list."""
    names = _optional(table, columns.group, "group")
    if names is None:
        raise DataError(
            f"{table.name}: has no column group, and a ranking needs the list of every image; name the column"
            " (--group-column)"
        )
    for index, name in enumerate(names):
        if as_text(name) is None:
            raise DataError(f"{table.place(index)}: group is missing; name the image's list")
    return names


def _same_images(paths: Sequence[Sequence[object]]) -> Sequence[object]:
    """Return the image of every row whose image is in several rows, else None."""
    images = list(zip(*paths, strict=True))
    counts = Counter(images)
    return [f"image of {image[0]}" if counts[image] > 1 else None for image in images]


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
