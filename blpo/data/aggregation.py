"""From the ratings of several people to the label of a sample."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from blpo.data.labels import nearest_rating
from state.sample import Label
from state.settings import Aggregate, TaskSettings

TIE_RULES: dict[str, str] = {
    "categorical": "the label is the first of the tied labels in task.labels",
    "pairwise": "the label is tie where task.ties allows a tie, else the first of the tied labels",
    "ordinal": "the label is the tied rating nearest to the mean, else the lower",
    "median": "the label is the median rounded, 3.5 is 4",
}
"""Rules for ties in words."""


@dataclass(frozen=True, slots=True)
class AggregatedLabel:
    """Label of a sample from several ratings."""

    label: Label
    rating: float | None
    """Mean or median with its fraction; None unless `task.round` is none and there is a fraction."""
    is_tied: bool
    """True if the ratings alone do not decide the label."""


def aggregated(values: Sequence[Label | float], rule: Aggregate, task: TaskSettings) -> AggregatedLabel:
    """Return the label of at least one rating. The order of the ratings plays no part."""
    if rule == "majority":
        label, is_tied = majority([as_label(value) for value in values], task)
        return AggregatedLabel(label, None, is_tied)
    numbers = [float(value) for value in values]
    number = fmean(numbers) if rule == "mean" else median(numbers)
    is_tied = rule == "median" and task.round != "none" and number % 1 == 0.5
    rating = number if task.round == "none" and not number.is_integer() else None
    return AggregatedLabel(nearest_rating(number), rating, is_tied)


def majority(labels: Sequence[Label], task: TaskSettings) -> tuple[Label, bool]:
    """Return the most frequent label, and True if several labels are as frequent (`TIE_RULES` decides)."""
    counts = Counter(labels)
    most = max(counts.values())
    tied = [label for label in task.values if counts[label] == most]
    if task.kind == "pairwise" and task.ties and len(tied) > 1:
        return "tie", True
    if len(tied) == 1 or task.kind != "ordinal":
        return tied[0], len(tied) > 1
    mean = fmean(float(label) for label in labels)
    return min(tied, key=lambda label: abs(float(label) - mean)), True


def as_label(value: Label | float) -> Label:
    """Return a rating as a label of the task: a fraction is the nearest rating."""
    return nearest_rating(value) if isinstance(value, float) else value
