"""Rows of a table as samples: images, a text, an id, and a label if present."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from blpo.data.column_proposal import PAIR_COLUMNS, PAIR_TEXT_COLUMNS, image_columns
from blpo.data.columns import require_column
from blpo.data.joined_groups import indexes_by_value, joined_groups
from blpo.data.labels import as_text
from blpo.data.list_cells import paths_in
from blpo.data.message_text import column_hint
from blpo.data.sample_images import SampleImages, SampleImagesReader, cell_reader, holds_lists, id_from_images
from blpo.data.tables import Table
from blpo.deployment.input_labels import InputLabels, UnusableImage
from state.errors import DataError
from state.sample import ContextName, ImageSource, Label, Sample
from state.settings import FurtherColumn, TaskSettings


@dataclass(frozen=True, slots=True)
class InputColumns:
    """Columns of a table that the judge sees, and the column of the human label."""

    images: tuple[str, ...] = ()
    """Empty: `image_a` and `image_b` if the table has both, else `image`, else a column that looks like images."""
    text: str | tuple[str, str] | None = None
    """None: `text` if the table has such a column. `id`, `label` and `group` have the same rule. Two columns: the two
    texts about one image that a judge of pairs compares; None: `text_a` and `text_b` where such a judge gets one
    image. Then the column `question` is the text of both."""
    id: str | None = None
    label: str | None = None
    group: str | None = None
    """Samples of one group, such as images of one text, are one observation."""
    reference: str | None = None
    """Column of the image to compare with. None: `reference`. `reference_text` and `before` have the same rule. Only
    the columns in `further` are read."""
    reference_text: str | None = None
    before: str | None = None
    further: tuple[FurtherColumn, ...] = ()
    """Columns beside images and text that the judge sees: `further_columns` of the judge."""
    usual_label: str = "label"
    """Column of the label where `label` is None: for a criterion the criterion's own."""
    several: bool = False
    """True for a judge that labels several images together: the images of a folder are one sample."""

    @property
    def pair(self) -> tuple[str, str]:
        """Columns of a and b."""
        names = (self.images, self.text, PAIR_COLUMNS)
        return next((pair[0], pair[1]) for pair in names if isinstance(pair, tuple) and len(pair) == 2)


@dataclass(frozen=True, slots=True)
class TableInput:
    """Rows of a table."""

    table: Table
    sources: Sequence[Callable[[int, str], ImageSource]]
    paths: Sequence[Sequence[object]]
    """Cells of the image columns if the cells name files, else empty."""
    lists: SampleImagesReader | None
    """Reader of a column whose cells hold several images; None for other columns."""
    texts: Sequence[object] | None
    two_texts: Sequence[Sequence[object]]
    """Columns of the two texts of a pair; empty for other samples."""
    context: Sequence[tuple[ContextName, Callable[[int, str], ImageSource]]]
    """Readers of the images to compare with."""
    reference_texts: Sequence[object] | None
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
        context, references = _context(table, columns), _reference_texts(table, columns)
        names = columns.images or image_columns(table, several=columns.several) or ("image",)
        sources = [_sources(table, name) for name in names]
        lists = _lists_reader(table, names, labels.task)
        has_no_paths = lists is not None or any(table.cells(name) for name in names)
        paths = [] if has_no_paths else [table.values(name) for name in names]
        two_texts = _two_texts(table, columns, labels.task) if len(names) == 1 else ()
        text = columns.text if isinstance(columns.text, str) else None
        texts = _optional(table, text, "question" if two_texts else "text")
        ids = _optional(table, columns.id, "id")
        values = _optional(table, columns.label, columns.usual_label) or [None] * len(table.lines)
        places = list(map(table.place, range(len(table.lines))))
        if labels.task.kind == "ranking":
            ranks = list(map(labels.rank, values, places))
            unlabelled, groups = [None] * len(ranks), _lists(table, columns)
            return cls(table, sources, paths, None, texts, (), context, references, ids, unlabelled, ranks, groups)
        own_groups = _optional(table, columns.group, "group")
        groups = own_groups or _groups(table, names, paths, texts, labels.task, has_lists=lists is not None)
        labelled = list(map(labels.read, values, places))
        ratings = list(map(labels.rating, values, labelled))
        return cls(table, sources, paths, lists, texts, two_texts, context, references, ids, labelled, ratings, groups)

    def count(self) -> int:
        """Return the number of readable rows."""
        return len(self.table.lines)

    def samples(self) -> Iterator[Sample]:
        """Yield a sample per row, named by id, else by image path as in a dataset, else by line."""
        if not self.table.lines:
            raise DataError(self.table.problems[0] if self.table.problems else f"{self.table.name}: has no rows")
        for index in range(len(self.table.lines)):
            place = self.table.place(index)
            images, path = self._images(index, place)
            identity = as_text(self.ids[index]) if self.ids else None
            text = as_text(self.texts[index]) if self.texts else None
            group = as_text(self.groups[index]) if self.groups else None
            label, rating = self.labels[index], self.ratings[index]
            texts = _pair([as_text(column[index]) or "" for column in self.two_texts])
            if texts is not None and not all(texts):
                images = (UnusableImage(place, "has one text; a pair needs both"),)
            context = tuple((name, source(index, place)) for name, source in self.context)
            reference = as_text(self.reference_texts[index]) if self.reference_texts else None
            sample = Sample(identity or path or place, images, label, text, group, rating, texts=texts)
            yield replace(sample, context=context, reference_text=reference)

    def _images(self, index: int, place: str) -> SampleImages:
        """Return the images of a row and a text for its id; an image that can't be located fails when read."""
        if self.lists is None:
            path = id_from_images([as_text(column[index]) or "" for column in self.paths])
            return tuple(source(index, place) for source in self.sources), path
        try:
            return self.lists(index, place)
        except ValueError as error:
            return (UnusableImage(place, str(error)),), ""


def _pair(texts: Sequence[str]) -> tuple[str, str] | None:
    return (texts[0], texts[1]) if texts else None


def _context(table: Table, columns: InputColumns) -> list[tuple[ContextName, Callable[[int, str], ImageSource]]]:
    """Return the readers of the images that the judge compares with; raises `DataError` for a missing column."""
    names: tuple[ContextName, ...] = get_args(ContextName)
    return [(name, _sources(table, _further_column(table, columns, name))) for name in names if name in columns.further]


def _reference_texts(table: Table, columns: InputColumns) -> Sequence[object] | None:
    if "reference_text" not in columns.further:
        return None
    return table.values(_further_column(table, columns, "reference_text"))


def _further_column(table: Table, columns: InputColumns, name: FurtherColumn) -> str:
    """Return a column that the judge needs; raises `DataError` for a missing column."""
    column: str = getattr(columns, name) or name
    if column not in table.columns:
        option = name.replace("_", "-")
        raise DataError(
            f"{table.name}: has no column {column!r}{column_hint(column, table.columns)}; the judge of this run sees"
            f" such a column: name the column with --{option}-column"
        )
    return column


def _two_texts(table: Table, columns: InputColumns, task: TaskSettings) -> Sequence[Sequence[object]]:
    """Return the columns of two texts for a judge of pairs; empty for other judges and tables."""
    if isinstance(columns.text, tuple):
        return [table.values(require_column(table, name, "text")) for name in columns.text]
    has_texts = task.kind == "pairwise" and columns.text is None and set(PAIR_TEXT_COLUMNS) <= set(table.columns)
    return [table.values(name) for name in PAIR_TEXT_COLUMNS] if has_texts else ()


def _lists_reader(table: Table, names: Sequence[str], task: TaskSettings) -> SampleImagesReader | None:
    """Return the reader of a column whose cells hold several images; None for other columns and tasks."""
    if task.kind in ("pairwise", "ranking") or len(names) != 1:
        return None
    column = require_column(table, names[0], "image")
    return cell_reader(table, column) if holds_lists(table, column) else None


def _groups(
    table: Table,
    names: Sequence[str],
    paths: Sequence[Sequence[object]],
    texts: Sequence[object] | None,
    task: TaskSettings,
    *,
    has_lists: bool,
) -> Sequence[object]:
    """Return the group of every row with an image of another row, as far as paths tell; empty without paths."""
    if task.kind == "pairwise":
        return _shared_by_pairs([*paths, texts or ()])
    rows: Sequence[Sequence[object]] = list(zip(*paths, strict=True)) if len(paths) > 2 else ()
    if has_lists and table.cell_lists(names[0]) is None:
        rows = [[value] if (listed := paths_in(value)) is None else listed for value in table.values(names[0])]
    if rows:
        return _shared("samples", len(rows), [(index, path) for index, row in enumerate(rows) for path in row])
    return _same_images(paths)


def _shared_by_pairs(columns: Sequence[Sequence[object]]) -> Sequence[object]:
    """Return the group of every pair that shares an image or a text with another pair, else None.

    A text of all pairs is an instruction, and joins nothing.
    """
    columns = [column for column in columns if len(set(map(as_text, column))) > 1]
    size = len(columns[0]) if columns else 0
    return _shared("pairs", size, [(index, value) for column in columns for index, value in enumerate(column)])


def _shared(noun: str, size: int, cells: Sequence[tuple[int, object]]) -> Sequence[object]:
    """Return the group of every row that shares a value with another row, else None; `cells` are values with rows."""
    named = [(index, text) for index, value in cells if (text := as_text(value))]
    shared = [[named[place][0] for place in places] for places in indexes_by_value([text for _, text in named])]
    groups: list[object] = [None] * size
    for members in joined_groups(size, shared):
        for member in members if len(members) > 1 else ():
            groups[member] = f"{noun} of row {members[0] + 1}"
    return groups


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
            return table.root.image(as_text(paths[index]) or "", place)
        except ValueError as error:
            return UnusableImage(place, str(error))

    return source


def _optional(table: Table, name: str | None, default: str) -> Sequence[object] | None:
    if name is not None:
        return table.values(require_column(table, name, default))
    return table.values(default) if default in table.columns else None
