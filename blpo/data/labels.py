"""Human labels: from the values of a table to the labels of the task."""

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from statistics import median
from typing import Literal

from blpo.data.message_text import did_you_mean, display_text
from blpo.data.similar_names import read_alike
from state.ranking import ranks_of
from state.sample import Label
from state.settings import TaskSettings

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})", re.ASCII)
"""Number with a decimal comma. Three digits after the comma could also be thousands."""

_MISSING_WORDS = frozenset(
    (
        *("na", "n/a", "n.a.", "#n/a", "<na>", "nan", "#nan", "none", "null", "nil", "nat", "-", "--", "?", "??"),
        *("unlabeled", "unlabelled", "not labeled", "not labelled", "unannotated", "unrated", "no label", "no answer"),
        *("not available", "not applicable", "missing", "undefined", "unknown", "unset", "empty", "(empty)", "blank"),
        *("(blank)", "tbd", "to do", "todo", "to be determined", "---", "...", "."),
        *("#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!", "#error!", "#spill!", "#####"),
    )
)


class ClassName(str):
    """Name of a class in a table that stores the class's number."""

    __slots__ = ("number",)
    number: int

    def __new__(cls, name: str, number: int) -> "ClassName":
        """Return the name with the number of the class."""
        text = super().__new__(cls, name)
        text.number = number
        return text


def label_reader(
    task: TaskSettings,
    threshold: float | Literal["median"] | None,
    column: Iterable[object],
    pair: tuple[str, str] | None = None,
) -> Callable[[object], Label]:
    """Return a function from a value of `column` to a label. The function raises `ValueError` for a value of no label.

    Ordinal: an integer in [min, max], as a number or text (3, 3.0, "3"), or a word of `task.scale`; with `task.round`
    the nearest integer of a number in [min, max], 3.5 is 4. Categorical: a label of the task, else the only label that
    looks equal (case, spaces, Unicode); numbers and booleans are compared by their text. Pairwise: a, b or tie, or the
    name of one of the two columns in `pair`; a number is no label, for it may count from 0 or 1. Ranking: a label of a
    whole list, such as 2>1=3. With a threshold: a number up to the threshold is the task's first label, a number above
    the threshold is the second.
    "median" is the median of all numbers in `column`.
    """
    if task.kind == "ranking":
        return _ranking
    if threshold is None:
        if task.kind == "pairwise":
            return lambda value: _preference(value, task, pair)
        return (lambda value: _rating(value, task)) if task.kind == "ordinal" else lambda value: _category(value, task)
    if threshold == "median":
        numbers = [n for n in map(as_number, column) if n is not None]
        threshold = median(numbers) if numbers else 0.0
    cut = threshold
    return lambda value: _half(value, cut, task)


def rating_reader(task: TaskSettings) -> Callable[[object], float | None]:
    """Return a function from a value that is a label to its rating with the fraction; None unless `task.round` is none.

    The function returns None for a whole rating too: the label says the same. Ranking: the rank or the rating of an
    image, any number; the function raises `ValueError` for another value.
    """
    if task.kind == "ranking":
        return _rank
    if task.round != "none":
        return lambda value: None

    def read(value: object) -> float | None:
        number = as_number(value)
        return None if number is None or number.is_integer() else number

    return read


def nearest_rating(number: float) -> int:
    """Return the nearest integer; of two equally near integers the higher, so 3.5 is 4."""
    return math.floor(number) + (number % 1 >= 0.5)


def as_number(value: object) -> float | None:
    """Return a cell's finite number, from a number or a text (3, 3.5 or 3,5); None for other values (booleans too)."""
    if isinstance(value, str):
        value = value.strip()
        value = value.replace(",", ".") if _DECIMAL_COMMA.fullmatch(value) else value
        value = float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, Decimal):
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e300:
        return None
    return float(value) if math.isfinite(value) else None


def is_empty(value: object) -> bool:
    """Return True for a cell that holds nothing: None, NaN or blank text."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def is_missing_word(value: object) -> bool:
    """Return True for a word that stands for a missing value, such as NA, None, null, n/a, - or ?."""
    return isinstance(value, str) and read_alike(value) in _MISSING_WORDS


def as_text(value: object) -> str | None:
    """Return a cell as text; None for an empty cell. Whole numbers have no fraction."""
    if is_empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _rating(value: object, task: TaskSettings) -> int:
    number = as_number(value)
    if number is None and isinstance(value, str):
        number = next((float(rating) for rating, word in task.scale if read_alike(word) == read_alike(value)), None)
    if number is None and isinstance(value, ClassName):
        number = float(value.number)
    if number is None or not task.min <= number <= task.max:
        kind = "an integer" if task.round is None else "a number"
        raise ValueError(_problem(value, f"{kind} from {task.min} to {task.max}"))
    if task.round is None and not number.is_integer():
        hint = "; correct the rating, or set task.round: nearest for means of raters"
        raise ValueError(_problem(value, f"an integer from {task.min} to {task.max}") + hint)
    return nearest_rating(number)


def _rank(value: object) -> float:
    number = as_number(value)
    if number is None:
        raise ValueError(_problem(value, "a rank or a rating, and so a number"))
    return number


def _ranking(value: object) -> str:
    text = "".join(str(value).split())
    try:
        ranks_of(text)
    except ValueError:
        raise ValueError(_problem(value, "a ranking of the images, such as 2>1=3")) from None
    return text


def _category(value: object, task: TaskSettings) -> str:
    if isinstance(value, list | tuple | dict | bytes):
        raise ValueError(f"label {display_text(value)} is no single value; write one label a row")
    for text in _texts(value):
        if text in task.labels:
            return text
    alike = [label for label in task.labels if read_alike(label) == read_alike(str(value))]
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(str(value), task.labels)
    raise ValueError(_problem(value, f"one of {', '.join(task.labels)}{hint}"))


def _preference(value: object, task: TaskSettings, pair: tuple[str, str] | None) -> Label:
    names: dict[str, Label] = {read_alike(column): label for column, label in zip(pair or (), "ab", strict=False)}
    names |= {read_alike(str(label)): label for label in task.values}
    text = read_alike(value) if isinstance(value, str) else ""
    if text in names:
        return names[text]
    if text == "tie":
        raise ValueError("label tie is no label of the task; set task.ties: true, or leave out the row")
    columns = f" (a is the column {pair[0]}, b is {pair[1]})" if pair else ""
    expected = f"one of {', '.join(map(str, task.values))}{columns}"
    if as_number(value) is not None or isinstance(value, bool):
        raise ValueError(f"label {display_text(value)} does not say which one is better; write {expected}")
    raise ValueError(_problem(value, expected))


def _texts(value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(value), str(value).lower()]
    number = as_number(value)
    whole = [str(int(number))] if number is not None and number.is_integer() else []
    number_of_class = [str(value.number)] if isinstance(value, ClassName) else []
    return [str(value), str(value).strip(), *whole, *number_of_class]


def _half(value: object, threshold: float, task: TaskSettings) -> Label:
    number = as_number(value)
    if number is None:
        raise ValueError(_problem(value, "a number, and data.threshold cuts numbers"))
    return task.values[number > threshold]


def _problem(value: object, expected: str) -> str:
    if is_empty(value):
        return f"label is missing; expected {expected}, or data.unlabelled: skip"
    hint = "; data.unlabelled: skip leaves such rows out" if is_missing_word(value) else ""
    return f"label {display_text(value)} is not {expected}{hint}"
