"""Ratings of several people: of the labels file or of a file of ratings, by sample."""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from blpo.data.columns import optional_column, require_column
from blpo.data.labels import as_number, as_text, is_empty, is_missing_word, label_reader
from blpo.data.message_text import display_text, listed
from blpo.data.similar_names import read_alike
from blpo.data.tables import Table, open_table
from state.errors import DataError
from state.sample import Label, Rating
from state.settings import DataSettings, RaterSettings, SplitColumn, TaskSettings

RATER_NAMES = frozenset(
    f"{noun}{end}"
    for noun in ("rater", "annotator", "coder", "worker", "user", "participant", "subject", "labeler", "labeller")
    for end in ("", "id", "_id", " id", "_name")
)
"""Usual names of a column of raters, in any case."""
RATING_COLUMN = "rating"

_WIDE_NAME = re.compile(r"(rater|annotator|coder|worker|user|participant|labell?er)[ _-]?\d+", re.IGNORECASE)
"""Usual name of a column with the ratings of one person, such as `rater_1`."""

Key = tuple[str, ...]
"""Name of a sample: the id, or the images."""


@dataclass(frozen=True)
class RatedRows:
    """Ratings of the samples of a table."""

    rows: Sequence[int]
    """Row of every sample, from 0. Further rows with ratings of the sample are left out."""
    ratings: Mapping[int, Sequence[Rating]]
    """Ratings by the row of the sample; absent without a rating."""
    source: str
    """Name of the table of the ratings."""
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_ratings(table: Table, raters: RaterSettings, data: DataSettings, task: TaskSettings) -> RatedRows:
    """Read all ratings of the samples of `table`. Raises `DataError` for a missing column."""
    source = table if raters.file is None else open_table(raters.file)
    keys = _keys(table, data)
    of_source = keys if raters.file is None else _keys(source, data)
    ledger = _Ledger()
    columns = list(_rating_columns(source, raters, data))
    reader = label_reader(task, data.threshold, chain.from_iterable(column for _, column in columns), data.pair)
    for rater, column in columns:
        _read_column(ledger, source, of_source, rater, column, reader, task)
    rows = _rows(table, keys, merges=raters.file is None and raters.by is not None)
    row_keys = {keys[row] for row in rows if keys[row] is not None}
    unknown = [key for key in ledger.ratings if key not in row_keys]
    if unknown:
        names = listed(["|".join(key) for key in unknown])
        ledger.warnings.append(f"{source.name}: {len(unknown)} rated samples are not in {table.name} ({names})")
    ratings = {row: of_row for row in rows if (of_row := ledger.of(keys[row]))}
    problems = [*(source.problems if source is not table else ()), *ledger.problems, *_different(table, keys, data)]
    return RatedRows(rows, ratings, source.name, problems, [*ledger.warnings, *ledger.repetitions(source.name)])


def rater_column(table: Table) -> str | None:
    """Return the first column with a usual name of a column of raters; None without such a column."""
    return next((name for name in table.columns if read_alike(name) in RATER_NAMES), None)


def wide_rating_columns(table: Table) -> list[str]:
    """Return the columns with usual names of ratings of one person, such as `rater_1` and `rater_2`."""
    return [name for name in table.columns if _WIDE_NAME.fullmatch(name.strip())]


class _Ledger:
    """Ratings by sample and rater."""

    def __init__(self) -> None:
        self.ratings: dict[Key, dict[str, Label | float]] = {}
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._repeated: list[str] = []

    def add(self, key: Key, rater: str, value: Label | float, place: str) -> None:
        """Add a rating. A second rating of a sample by the same person takes the place of the first."""
        by_rater = self.ratings.setdefault(key, {})
        if rater in by_rater:
            self._repeated.append(place)
        by_rater[rater] = value

    def of(self, key: Key | None) -> list[Rating]:
        """Return the ratings of a sample; empty without a rating."""
        return [] if key is None else [Rating(rater, value) for rater, value in self.ratings.get(key, {}).items()]

    def repetitions(self, name: str) -> list[str]:
        """Return a warning about people who rated a sample twice."""
        if not self._repeated:
            return []
        places = listed(self._repeated)
        return [f"{name}: {len(self._repeated)} repeated ratings of one person; the last counts ({places})"]


def _read_column(
    ledger: _Ledger,
    source: Table,
    keys: Sequence[Key | None],
    raters: Sequence[object] | str,
    values: Sequence[object],
    reader: Callable[[object], Label],
    task: TaskSettings,
) -> None:
    """Add the ratings of a column. `raters` is the person of all ratings, or the person of every rating."""
    for index, value in enumerate(values):
        key, place = keys[index], source.place(index)
        rater = raters if isinstance(raters, str) else as_text(raters[index])
        try:
            label = reader(value)
        except ValueError as error:
            if not (is_empty(value) or is_missing_word(value)):
                ledger.problems.append(f"{place}: {error}")
            continue
        if key is None or rater is None:
            ledger.problems.append(f"{place}: {'the sample' if key is None else 'the rater'} is missing")
            continue
        number = as_number(value) if task.round is not None else None
        ledger.add(key, rater.strip(), label if number is None or number.is_integer() else number, place)


def _keys(table: Table, data: DataSettings) -> list[Key | None]:
    """Return the name of the sample of every row; None for a row without a name."""
    ids = optional_column(table, data.id, "id", default="id")
    if ids is not None:
        return [None if (name := as_text(value)) is None else (name,) for value in ids]
    columns = [require_column(table, name, "image") for name in data.columns_of_images]
    if any(table.cells(column) is not None for column in columns):
        raise DataError(f"{table.name}: data.raters needs a column of ids (data.id) where images are in cells")
    rows = zip(*(table.values(column) for column in columns), strict=True)
    return [tuple(str(value).strip() for value in row) if not any(map(is_empty, row)) else None for row in rows]


def _rating_columns(
    table: Table, raters: RaterSettings, data: DataSettings
) -> Iterator[tuple[Sequence[object] | str, Sequence[object]]]:
    """Yield the raters and the values of every column of ratings."""
    if raters.columns:
        for name in raters.columns:
            yield name, table.values(require_column(table, name, "raters.columns"))
        return
    by = raters.by or rater_column(table)
    if by is None:
        raise DataError(
            f"{table.name}: no column looks like raters; name it in data.raters.by, or the columns of raters in "
            f"data.raters.columns: {', '.join(map(display_text, table.columns))}"
        )
    label = raters.label or (data.label if data.label in table.columns or raters.file is None else RATING_COLUMN)
    setting = "label" if raters.file is None else "raters.label"
    yield (
        table.values(require_column(table, by, "raters.by")),
        table.values(require_column(table, label, setting)),
    )


def _rows(table: Table, keys: Sequence[Hashable], *, merges: bool) -> list[int]:
    """Return the row of every sample: with `merges`, the first row of each name, and rows without a name."""
    if not merges:
        return list(range(len(table.lines)))
    first: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        first.setdefault(key if key is not None else index, index)
    return list(first.values())


def _different(table: Table, keys: Sequence[Key | None], data: DataSettings) -> Iterator[str]:
    """Yield a problem for every row of a sample with another text or split than the sample's first row."""
    if data.raters is None or data.raters.file is not None or data.raters.by is None:
        return
    split = data.split.column if isinstance(data.split, SplitColumn) else None
    texts = data.text if isinstance(data.text, tuple) else (data.text or "text",)
    with_text = "give every image with its text an id (data.id)"
    for name, hint in (*((text, with_text) for text in texts), (split, "keep one")):
        if name is None or name not in table.columns:
            continue
        first: dict[Key, int] = {}
        values = table.values(name)
        for index, key in enumerate(keys):
            if key is not None and as_text(values[index]) != as_text(values[first.setdefault(key, index)]):
                place = table.place(first[key])
                yield f"{table.place(index)}: {name} differs from {place}, and both rate one sample; {hint}"
