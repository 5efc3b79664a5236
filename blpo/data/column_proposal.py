"""What a labels file seems to hold: which columns, and what kind of label. Proposals for a person to confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from blpo.data.labels import as_text, is_empty, number
from blpo.data.rows import SPLIT_NAMES
from blpo.data.sources import IMAGE_SUFFIXES
from blpo.data.tables import Table
from blpo.data.wording import other_columns, shown
from state.errors import DataError
from state.settings import TaskSettings

IMAGE_NAMES = ("image", "image_path", "path", "file", "filename", "file_name", "img", "picture")
LABEL_NAMES = ("label", "rating", "score", "class", "category", "verdict", "target", "mos")
GROUP_NAMES = ("group", "group_id", "prompt_id")
PAIR = ("image_a", "image_b")
HALVES = ("low", "high")
"""What numbers that are cut in two are called."""

MOST_CATEGORIES = 20
"""A column with more different texts holds no categories."""
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table hold what."""

    image: str | tuple[str, str]
    label: str
    group: str | None
    split: str | None
    """The column that names each row's split."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the values of a column of labels are."""

    task: TaskSettings
    is_cut: bool
    """Whether they are numbers that have to be cut at their median, into the task's two labels."""
    in_words: str


def propose_columns(table: Table, *, image: str | None = None, label: str | None = None) -> Columns:
    """Look at the columns' names, then at their values; `image` and `label` are columns that are known.

    Raises `DataError` where there is no such column, or none or several that could be it.
    """
    for name in (image, label):
        if name is not None and name not in table.columns:
            raise DataError(f"{table.name}: has no column {name!r}{other_columns(name, table.columns)}")
    images = image or _image_column(table)
    return Columns(images, label or _label_column(table, images), _first(table, GROUP_NAMES), _split_column(table))


def propose_labels(values: Sequence[object], where: str) -> Labels:
    """The task that labels like these belong to.

    Two different whole numbers are categories; more are a scale, from the lowest (from 1 where that is higher) to the
    highest. Numbers with fractions, and scales longer than 1001 ratings, are to be cut in two. Anything else is
    categories, in alphabetical order. Raises `DataError`, beginning with `where`, for fewer than two or too many.
    """
    held = [value for value in values if not is_empty(value)]
    texts = sorted({_text(value) for value in held})
    if len(texts) < 2:
        found = f"one label only ({shown(texts[0])})" if texts else "no labels"
        raise DataError(f"{where} holds {found}; fill it in, name another column, or say what labels there are")
    numbers = are_numbers(held)
    if numbers and len(texts) > 2:
        low, high = min(numbers), max(numbers)
        if all(number.is_integer() for number in numbers) and high - min(low, 1) <= 1000:
            task = TaskSettings(kind="ordinal", min=int(min(low, 1)), max=int(high))
            return Labels(task, False, f"whole numbers from {int(low)} to {int(high)}")
        return Labels(TaskSettings(kind="categorical", labels=HALVES), True, f"numbers from {low:g} to {high:g}")
    if len(texts) > MOST_CATEGORIES:
        raise DataError(f"{where} holds {len(texts)} different texts, too many for labels; name another column")
    return Labels(TaskSettings(kind="categorical", labels=tuple(texts)), False, f"{len(texts)} different labels")


def are_numbers(values: Sequence[object]) -> list[float]:
    """The values as numbers; empty where one is none."""
    numbers = [held for held in map(number, values) if held is not None]
    return numbers if len(numbers) == len(values) else []


def _text(value: object) -> str:
    """A label as a config names it; `blpo.data.labels` compares with the same."""
    if isinstance(value, bool):
        return str(value).lower()
    held = number(value)
    return str(int(held)) if held is not None and held.is_integer() else str(value).strip()


def _image_column(table: Table) -> str | tuple[str, str]:
    if set(PAIR) <= set(table.columns):
        return PAIR
    found = _first(table, IMAGE_NAMES) or next((name for name in table.columns if _holds_images(table, name)), None)
    if found is None:
        raise DataError(f"{table.name}: no column looks like images; name it with --image: {_listed(table.columns)}")
    return found


def _holds_images(table: Table, name: str) -> bool:
    if table.cells(name) is not None:
        return True
    values = [value for value in table.values(name)[:_LOOKED_AT] if not is_empty(value)]
    return bool(values) and all(PurePath(str(value)).suffix.lower() in IMAGE_SUFFIXES for value in values)


def _label_column(table: Table, images: str | tuple[str, str]) -> str:
    found = _first(table, LABEL_NAMES[:3]) or _only_named(table) or _first(table, LABEL_NAMES)
    if found is not None:
        return found
    taken = {*([images] if isinstance(images, str) else images), *GROUP_NAMES, "id", "text", "split"}
    left = [name for name in table.columns if name not in taken and table.cells(name) is None]
    fitting = [name for name in left if _could_be_labels(table.values(name))]
    if len(fitting) != 1:
        raise DataError(f"{table.name}: which column holds the label? Name it with --label: {_listed(left)}")
    return fitting[0]


def _only_named(table: Table) -> str | None:
    """The one column whose name holds `label`, `rating` or `score`, such as `safety_label`."""
    found = [name for name in table.columns if any(word in name.casefold() for word in LABEL_NAMES[:3])]
    return found[0] if len(found) == 1 else None


def _could_be_labels(values: Sequence[object]) -> bool:
    known = {_text(value) for value in values if not is_empty(value)}
    return 2 <= len(known) <= MOST_CATEGORIES


def _split_column(table: Table) -> str | None:
    if "split" not in table.columns:
        return None
    values = {(as_text(value) or "").strip().casefold() for value in table.values("split")}
    return "split" if values and values <= set(SPLIT_NAMES) and "test" in values and "train" in _meant(values) else None


def _meant(values: set[str]) -> set[str]:
    names: Mapping[str, str] = SPLIT_NAMES
    return {names[value] for value in values}


def _first(table: Table, names: Sequence[str]) -> str | None:
    """The column with the first of these names, in any case."""
    folded = {column.casefold(): column for column in reversed(table.columns)}
    return next((folded[name] for name in names if name in folded), None)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(shown, columns)) or "none"
