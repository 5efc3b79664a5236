"""Proposal of a task for the values of a label column, for a person to confirm."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from blpo.data.label_warnings import nearly_similar, similar_labels
from blpo.data.labels import as_number, is_empty, is_missing_word
from blpo.data.message_text import display_text, listed
from blpo.data.similar_names import spelled_alike
from state.errors import DataError
from state.settings import TaskSettings

HALVES = ("low", "high")
"""Labels for numbers that are cut in two."""

GOOD_WORDS = {
    "1",
    "true",
    "yes",
    "y",
    "ok",
    "okay",
    "good",
    "better",
    "best",
    "safe",
    "sfw",
    "real",
    "natural",
    "match",
    "matches",
    "matching",
    "pass",
    "passed",
    "accept",
    "accepted",
    "acceptable",
    "approve",
    "approved",
    "correct",
    "right",
    "valid",
    "clean",
    "harmless",
    "allowed",
    "appropriate",
    "relevant",
    "aligned",
    "faithful",
    "consistent",
    "positive",
    "high",
}
"""Labels that mean a good image. Exactly one such label among the labels of a task is proposed as the good label."""

MOST_CATEGORIES = 20
"""A column with more different texts holds no categories."""
_LONGEST_SCALE = 1000
_USUAL_SCALES = ((1, 5), (1, 7), (1, 9), (1, 10), (0, 5), (0, 10), (1, 100), (0, 100))
"""Lowest and highest rating of scales that means of raters come from."""
_FEW = 0.05
"""Largest share of numbers with fractions that are taken as slips among whole ratings."""


@dataclass(frozen=True, slots=True)
class ProposedLabels:
    """Proposal for the values of a label column."""

    task: TaskSettings
    is_cut: bool
    """True for numbers that are cut at their median into the task's two labels."""
    in_words: str
    warnings: tuple[str, ...] = ()
    """Lines about labels that look alike, words that may stand for missing labels, and a fraction among ratings."""


def propose_labels(values: Sequence[object], where: str) -> ProposedLabels:
    """Propose a task for label values.

    Two different whole numbers are categories. More whole numbers are a scale, from the lowest (at most 1) to the
    highest; a few fractions among whole numbers get a warning. Numbers with fractions on a usual scale, such as means
    of raters, are that scale. Other numbers, and scales longer than 1001 ratings, are to be cut in two. Words for
    missing values among numbers are left out. Other values are categories, in alphabetical order; of texts that look
    alike the most frequent is the category. Raises `DataError`, beginning with `where`, for fewer than two or too many
    labels.
    """
    values = [value for value in values if not is_empty(value)]
    if compound := [value for value in values if isinstance(value, list | tuple | dict | bytes)]:
        raise DataError(f"{where} holds lists or objects ({display_text(compound[0])}); write one label a row")
    numbers = as_numbers(values)
    missing = [value for value in values if is_missing_word(value)]
    if numbers and missing:
        warning = f"{len(missing)} labels are words such as {missing[0]}; data.unlabelled: skip leaves their rows out"
        values = [value for value in values if not is_missing_word(value)]
        return replace(propose_labels(values, where), warnings=(warning,))
    texts = sorted({label_text(value) for value in values})
    if len(texts) < 2:
        content = f"a single label ({display_text(texts[0])})" if texts else "no labels"
        raise DataError(f"{where} holds {content}; fill the column, name another column, or give the labels")
    if numbers and len(texts) > 2:
        return _numeric_labels(numbers)
    texts, warnings = _spellings(values, texts)
    if len(texts) > MOST_CATEGORIES:
        raise DataError(f"{where} holds {len(texts)} different texts, too many for labels; name another column")
    task = TaskSettings(kind="categorical", labels=tuple(texts))
    return ProposedLabels(task, False, f"{len(texts)} different labels", tuple(warnings))


def good_label(labels: Sequence[str]) -> str | None:
    """Return the label that probably means a good image; None if no word or several words say so."""
    good = [label for label in labels if label.strip().casefold() in GOOD_WORDS]
    return good[0] if len(good) == 1 else None


def as_numbers(values: Sequence[object]) -> list[float]:
    """Return the values as numbers, without words for missing values; empty if another value is no number."""
    values = [value for value in values if not is_missing_word(value)]
    numbers = [number for number in map(as_number, values) if number is not None]
    return numbers if len(numbers) == len(values) else []


def label_text(value: object) -> str:
    """Return a label as a config names it. `blpo.data.labels` compares with the same text."""
    if isinstance(value, bool):
        return str(value).lower()
    number = as_number(value)
    return str(int(number)) if number is not None and number.is_integer() else str(value).strip()


def _spellings(values: Sequence[object], texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the most frequent of the texts that look alike, in alphabetical order, and warnings."""
    counts = Counter(map(label_text, values))
    spellings = list(texts)
    warnings = []
    families = similar_labels(texts)
    for family in families:
        best = max(family, key=lambda text: (text == spelled_alike(text), counts[text], text))
        spellings = [text for text in spellings if text == best or text not in family]
    if families and len(spellings) > 1:
        readings = [" = ".join(map(display_text, family)) for family in families]
        warnings.append(
            f"labels that look alike are taken as one label ({listed(readings)}); --labels tells them apart"
        )
    else:
        spellings = list(texts)
    warnings += nearly_similar(spellings)
    if missing := [display_text(text) for text in spellings if is_missing_word(text)]:
        warnings.append(
            f"labels {', '.join(missing)} may stand for missing labels; if so, name the others with --labels, and set "
            "data.unlabelled: skip"
        )
    return spellings, warnings


def are_means(numbers: Sequence[float]) -> bool:
    """Return True for ratings with fractions, such as means of raters. A slip among whole ratings makes no means."""
    fractions = [number for number in numbers if not number.is_integer()]
    return len(fractions) > max(1 if len(numbers) > 1 else 0, _FEW * len(numbers))


def _numeric_labels(numbers: Sequence[float]) -> ProposedLabels:
    low, high = min(numbers), max(numbers)
    if not are_means(numbers) and high - min(low, 1) <= _LONGEST_SCALE:
        slips = [number for number in numbers if not number.is_integer()]
        task = TaskSettings(kind="ordinal", min=floor(min(low, 1)), max=ceil(high))
        warnings = [f"{slips[0]:g} is no whole rating; correct the row, or set task.round: nearest"] if slips else []
        return ProposedLabels(task, False, f"whole numbers from {floor(low)} to {ceil(high)}", tuple(warnings))
    scale = next((scale for scale in _USUAL_SCALES if scale[0] <= low and high <= scale[1]), None)
    if scale is not None and high > 1:
        task = TaskSettings(kind="ordinal", min=scale[0], max=scale[1])
        return ProposedLabels(task, False, f"numbers with fractions from {low:g} to {high:g}, such as means of raters")
    task = TaskSettings(kind="categorical", labels=HALVES)
    return ProposedLabels(task, True, f"numbers from {low:g} to {high:g}")
