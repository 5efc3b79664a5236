"""Proposal of a task for the values of a label column, for a person to confirm."""

from collections.abc import Sequence
from dataclasses import dataclass

from blpo.data.labels import as_number, is_empty
from blpo.data.message_text import display_text
from state.errors import DataError
from state.settings import TaskSettings

HALVES = ("low", "high")
"""Labels for numbers that are cut in two."""

MOST_CATEGORIES = 20
"""A column with more different texts holds no categories."""
_LONGEST_SCALE = 1000


@dataclass(frozen=True, slots=True)
class ProposedLabels:
    """Proposal for the values of a label column."""

    task: TaskSettings
    is_cut: bool
    """True for numbers that are cut at their median into the task's two labels."""
    in_words: str


def propose_labels(values: Sequence[object], where: str) -> ProposedLabels:
    """Propose a task for label values.

    Two different whole numbers are categories. More whole numbers are a scale, from the lowest (at most 1) to the
    highest. Numbers with fractions, and scales longer than 1001 ratings, are to be cut in two. Other values are
    categories, in alphabetical order. Raises `DataError`, beginning with `where`, for fewer than two or too many
    labels.
    """
    values = [value for value in values if not is_empty(value)]
    texts = sorted({label_text(value) for value in values})
    if len(texts) < 2:
        content = f"a single label ({display_text(texts[0])})" if texts else "no labels"
        raise DataError(f"{where} holds {content}; fill the column, name another column, or give the labels")
    numbers = as_numbers(values)
    if numbers and len(texts) > 2:
        return _numeric_labels(numbers)
    if len(texts) > MOST_CATEGORIES:
        raise DataError(f"{where} holds {len(texts)} different texts, too many for labels; name another column")
    task = TaskSettings(kind="categorical", labels=tuple(texts))
    return ProposedLabels(task, False, f"{len(texts)} different labels")


def as_numbers(values: Sequence[object]) -> list[float]:
    """Return the values as numbers; empty if a value is no number."""
    numbers = [number for number in map(as_number, values) if number is not None]
    return numbers if len(numbers) == len(values) else []


def label_text(value: object) -> str:
    """Return a label as a config names it. `blpo.data.labels` compares with the same text."""
    if isinstance(value, bool):
        return str(value).lower()
    number = as_number(value)
    return str(int(number)) if number is not None and number.is_integer() else str(value).strip()


def _numeric_labels(numbers: Sequence[float]) -> ProposedLabels:
    low, high = min(numbers), max(numbers)
    if all(number.is_integer() for number in numbers) and high - min(low, 1) <= _LONGEST_SCALE:
        task = TaskSettings(kind="ordinal", min=int(min(low, 1)), max=int(high))
        return ProposedLabels(task, False, f"whole numbers from {int(low)} to {int(high)}")
    task = TaskSettings(kind="categorical", labels=HALVES)
    return ProposedLabels(task, True, f"numbers from {low:g} to {high:g}")
