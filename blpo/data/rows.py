"""From the rows of a table to samples. Every problem is reported with its row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from blpo.data.aggregation import aggregated
from blpo.data.columns import optional_column, require_column
from blpo.data.label_warnings import label_warnings, skipped_rows
from blpo.data.labels import as_text, is_empty, is_missing_word, label_reader, rating_reader
from blpo.data.message_text import display_text
from blpo.data.pair_columns import context_readers, text_column, two_texts_reader
from blpo.data.rater_warnings import tie_warnings
from blpo.data.ratings import read_ratings
from blpo.data.sample_images import cell_reader, columns_reader
from blpo.data.similar_names import read_alike
from blpo.data.slice_columns import slice_columns, slice_text
from blpo.data.split_words import SPLIT_NAMES
from blpo.data.tables import Table
from state.image_names import image_names
from state.sample import Label, Rating, Sample, SplitName
from state.settings import DataSettings, SplitColumn, TaskSettings

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Row:
    """Usable row of a dataset's table."""

    sample: Sample
    split: SplitName | None
    """Split in the table; None for a table without a column of splits."""
    place: str
    """File and line: `labels.csv:17`."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a dataset's table."""

    usable: list[Row]
    """Rows in the order of the table."""
    problems: list[str]
    """A line for every problem."""
    warnings: list[str]
    """Lines about labels that are usable, and perhaps not as meant."""


def read_rows(table: Table, data: DataSettings, task: TaskSettings) -> TableRows:
    """Read all rows. Raises `DataError` for a missing column."""
    if not table.lines:
        return TableRows([], list(table.problems), [])
    reader = _RowReader(table, data, task)
    rows: list[Row] = []
    problems = list(table.problems)
    places: dict[str, str] = {}
    skipped: list[str] = []
    for index in reader.rows:
        place = table.place(index)
        if data.unlabelled == "skip" and reader.is_unlabelled(index):
            skipped.append(place)
            continue
        row, row_problems = reader.read(index, place)
        if row is not None and not reader.makes_lists and places.setdefault(row.sample.id, place) != place:
            hint = (
                "" if reader.has_ids else "; give every row its own id in a column named id (an image stays one group)"
            )
            row_problems.append(f"id {display_text(row.sample.id)} is also the id of {places[row.sample.id]}{hint}")
        if row is not None and not row_problems:
            rows.append(row)
        problems += [f"{place}: {problem}" for problem in row_problems]
    problems += reader.rating_problems
    if skipped and not rows and not problems:
        problems = [f"{table.name}: no row has a label of the task"]
    warnings = [*skipped_rows(skipped), *label_warnings(task, reader.raw_labels(data)), *reader.rating_warnings()]
    return TableRows(rows, problems + _divided_groups(rows), warnings)


class _RowReader:
    """Reader of all fields of a row. A faulty field does not stop the reader, so that all problems are reported."""

    def __init__(self, table: Table, data: DataSettings, task: TaskSettings) -> None:
        self._has_one_label = task.kind in ("ordinal", "categorical")
        reads_lists = self._has_one_label and isinstance(data.image, str)
        columns = data.columns_of_images
        self._images = cell_reader(table, columns[0]) if reads_lists else columns_reader(table, columns)
        self._image_names = (data.image_names or ()) if self._has_one_label and data.names_images else None
        self._task, self._raters = task, data.raters
        self._rated = None if data.raters is None else read_ratings(table, data.raters, data, task)
        self._has_own_label = data.raters is None or data.raters.label_from == "column"
        reads_labels = self._has_own_label or (data.raters is not None and data.raters.is_long_table)
        self._labels = table.values(require_column(table, data.label, "label")) if reads_labels else ()
        self._label = label_reader(task, data.threshold, self._labels, data.pair)
        self._rating = rating_reader(task)
        self._tied: list[str] = []
        self._slices = slice_columns(table, data.slices)
        self.rows: Sequence[int] = range(len(table.lines)) if self._rated is None else self._rated.rows
        self.rating_problems = [] if self._rated is None else self._rated.problems
        self._texts = text_column(table, data)
        self._two_texts = two_texts_reader(table, data)
        self._context = context_readers(table, data)
        self._reference_texts = optional_column(table, data.reference_text, "reference_text")
        self._ids = optional_column(table, data.id, "id", default="id")
        self._groups = optional_column(table, data.group, "group")
        column = data.split.column if isinstance(data.split, SplitColumn) else None
        self._splits = optional_column(table, column, "split.column")
        self.has_ids = self._ids is not None
        self.makes_lists = task.kind == "ranking"

    def read(self, index: int, place: str) -> tuple[Row | None, list[str]]:
        """Return the row (None for a faulty row) and the row's problems."""
        problems: list[str] = []
        images = _value_or_problem(problems, lambda: self._images(index, place))
        names = _value_or_problem(problems, lambda: self._names(len(images[0]) if images else 0))
        context = _value_or_problem(
            problems, lambda: tuple((n, reader(index, place)[0]) for n, reader in self._context)
        )
        texts = _value_or_problem(problems, lambda: self._two_texts(index))
        labelled = _value_or_problem(problems, lambda: self._labelled(index, place))
        name = _value_or_problem(problems, lambda: self._id(index, images[1] if images else ""))
        split = _value_or_problem(problems, lambda: _split_name(self._splits[index]) if self._splits else None)
        if images is None or names is None or labelled is None or name is None:
            return None, problems
        text = as_text(self._texts[index]) if self._texts else None
        group = as_text(self._groups[index]) if self._groups else None
        label, rating, ratings = labelled
        slices = tuple((column, slice_text(values[index])) for column, values in self._slices)
        reference = as_text(self._reference_texts[index]) if self._reference_texts else None
        sample = Sample(name, images[0], label, text, group, rating, ratings, slices, texts, context or (), reference)
        return Row(replace(sample, image_names=names) if names else sample, split, place), problems

    def _names(self, count: int) -> tuple[str, ...]:
        """Return the names of the images of a sample; raises `ValueError` if the names don't fit."""
        return () if self._image_names is None or count == 0 else image_names(count, self._image_names)

    def _labelled(self, index: int, place: str) -> tuple[Label | None, float | None, tuple[Rating, ...]]:
        """Return label, rating with a fraction, and ratings of several people; raises `ValueError` without a label.

        A row of a ranking has a rank or rating, and no label: the list has the label.
        """
        if self.makes_lists:
            return None, self._rating(self._labels[index]), ()
        ratings = () if self._rated is None else tuple(self._rated.ratings.get(index, ()))
        if self._rated is None or self._raters is None or self._has_own_label:
            return self._label(self._labels[index]), self._rating(self._labels[index]), ratings
        if not ratings:
            raise ValueError(f"no rating in {self._rated.source}; add a rating, or set data.unlabelled: skip")
        result = aggregated([rating.value for rating in ratings], self._raters.rule(self._task), self._task)
        if result.is_tied:
            self._tied.append(place)
        return result.label, result.rating, ratings

    def is_unlabelled(self, index: int) -> bool:
        """Return True for a row without a label, or with a word for a missing value that is no label of the task."""
        if self._rated is not None and not self._has_own_label:
            return index not in self._rated.ratings
        value = self._labels[index]
        if not (is_empty(value) or is_missing_word(value)):
            return False
        try:
            self._label(value)
        except ValueError:
            return True
        return False

    def rating_warnings(self) -> list[str]:
        """Return lines about the ratings, after all rows are read."""
        if self._rated is None or self._raters is None:
            return []
        return [*self._rated.warnings, *tie_warnings(self._tied, self._raters.rule(self._task), self._task)]

    def raw_labels(self, data: DataSettings) -> Sequence[object]:
        """Return the values of the label column; empty for numbers that are cut in two."""
        return self._labels if data.threshold is None else ()

    def _id(self, index: int, images: str) -> str:
        if self._ids is None:
            return images
        name = as_text(self._ids[index])
        if name is None:
            raise ValueError("id is missing")
        return name


def _value_or_problem(problems: list[str], value: Callable[[], _T]) -> _T | None:
    try:
        return value()
    except ValueError as error:
        problems.append(str(error))
        return None


def _split_name(value: object) -> SplitName:
    text = as_text(value) or ""
    name = SPLIT_NAMES.get(read_alike(text))
    if name is None:
        raise ValueError(f"split {display_text(text)} is not train, validation or test")
    return name


def _divided_groups(rows: Sequence[Row]) -> list[str]:
    """Return a line for every group that the table's own splits divide."""
    first: dict[str, Row] = {}
    problems: dict[str, str] = {}
    for row in rows:
        group = row.sample.group
        if group is None or row.split is None:
            continue
        start = first.setdefault(group, row)
        if start.split != row.split:
            problems.setdefault(
                group,
                f"{row.place}: group {display_text(group)} is in {row.split} here and in {start.split} at "
                f"{start.place}; a group must stay in one split",
            )
    return list(problems.values())
