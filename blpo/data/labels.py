"""Human labels: from what a table holds to what the task calls a label."""

import math
import re
from collections.abc import Callable, Iterable
from statistics import median
from typing import Literal

from blpo.data.wording import nearest, shown
from state.sample import Label
from state.settings import TaskSettings

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def label_reader(
    task: TaskSettings, threshold: float | Literal["median"] | None, column: Iterable[object]
) -> Callable[[object], Label]:
    """Return what reads one value of `column`; it raises `ValueError`, saying what is wrong, for one that is no label.

    Ordinal: an integer in [min, max], as a number or its text (3, 3.0, "3"). Categorical: one of the labels, numbers
    and booleans compared by their text. With a threshold: a number at or below it is the task's first label, above it
    the second; "median" is that of all numbers in `column`.
    """
    if threshold is None:
        return (lambda value: _rating(value, task)) if task.kind == "ordinal" else lambda value: _category(value, task)
    if threshold == "median":
        numbers = [n for n in map(number, column) if n is not None]
        threshold = median(numbers) if numbers else 0.0
    cut = threshold
    return lambda value: _half(value, cut, task)


def number(value: object) -> float | None:
    """The finite number that a cell holds, as a number or its text; None for anything else (booleans too)."""
    if isinstance(value, str):
        value = value.strip()
        value = float(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e300:
        return None
    return float(value) if math.isfinite(value) else None


def is_empty(value: object) -> bool:
    """Whether a cell holds nothing: None, NaN or blank text."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def as_text(value: object) -> str | None:
    """A cell as text; None for an empty one, and whole numbers without a fraction."""
    if is_empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _rating(value: object, task: TaskSettings) -> int:
    held = number(value)
    if held is None or not held.is_integer() or not task.min <= held <= task.max:
        raise ValueError(f"label {_named(value)} is not an integer from {task.min} to {task.max}")
    return int(held)


def _category(value: object, task: TaskSettings) -> str:
    for text in _texts(value):
        if text in task.labels:
            return text
    raise ValueError(f"label {_named(value)} is not one of {', '.join(task.labels)}{nearest(str(value), task.labels)}")


def _texts(value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(value), str(value).lower()]
    held = number(value)
    whole = [str(int(held))] if held is not None and held.is_integer() else []
    return [str(value), str(value).strip(), *whole]


def _half(value: object, threshold: float, task: TaskSettings) -> Label:
    held = number(value)
    if held is None:
        raise ValueError(f"label {_named(value)} is not a number, and data.threshold cuts numbers")
    return task.values[held > threshold]


def _named(value: object) -> str:
    return "is missing: it" if is_empty(value) else shown(value)
