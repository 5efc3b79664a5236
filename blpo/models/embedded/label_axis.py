"""Axes of labels: the rating, or a category against the other categories."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from blpo.models.embedded.rubric import STRENGTHS, RubricStart, Rule, Sentence
from blpo.models.embedded.rubric_verdict import STRENGTH_UNIT, LabelSet, is_pair

_PLACES = {"first": 1.0, "tie": 0.0, "second": -1.0}
_INTEGER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class LabelAxis:
    """Direction of labels. Sentences about `label` push along the axis, sentences about `opposite` against the axis."""

    label: str | None = None
    """Category at the far end; None: the rating."""
    opposite: str | None = None
    """Second of exactly two categories; None for more categories, or a rating."""
    middle: float = 0.0
    """Place of a judge without a start."""
    step: float = 1.0
    """Unit of the axis, in ratings: a quarter of the scale."""
    is_pair: bool = False
    """True for pairs. Sentences about the rating push an image up, and the axis is first less second."""

    def place(self, human: str) -> float | None:
        """Return the place of a human label on the axis; None for a text that is no rating, or no label of a pair."""
        if self.is_pair:
            return _PLACES.get(human)
        if self.label is not None:
            return 1.0 if human == self.label else -1.0
        return int(human) / self.step if _INTEGER.fullmatch(human) else None

    def sign(self, sentence: Sentence) -> float:
        """Return 1 for a sentence that pushes along the axis, -1 against the axis, 0 for any other sentence."""
        if sentence.label == self.label:
            return 1.0
        return -1.0 if self.opposite is not None and sentence.label == self.opposite else 0.0

    def start(self, starts: Sequence[RubricStart]) -> float:
        """Return the place of a judge with these starts."""
        if self.label is None:
            return starts[0].value / self.step if starts else self.middle
        return STRENGTH_UNIT * sum(self.sign(start) * start.value for start in starts)

    def start_at(self, place: float) -> RubricStart | None:
        """Return the start for a place; None if no start is needed."""
        if self.label is None:
            return RubricStart(None, round(place * self.step, 1 if self.step >= 1 else 2))
        label = self.label if place > 0 else self.opposite
        strength = nearest_strength(place)
        return RubricStart(label, strength) if label is not None and strength else None

    def with_weight(self, rule: Rule, weight: float) -> Rule | None:
        """Return `rule` with the weight along the axis, rounded to words; None for a negligible weight."""
        strength = nearest_strength(weight)
        forward = weight * self.sign(rule) > 0
        if not strength:
            return None
        if self.label is None:
            return replace(rule, weight=strength if weight > 0 else -strength)
        if forward:
            return replace(rule, weight=strength)
        if self.opposite is not None:
            return replace(rule, weight=strength, label=self.opposite if rule.label == self.label else self.label)
        if rule.opposite is None:
            return None
        return replace(rule, weight=strength, bound=rule.opposite, opposite=rule.bound)


def label_axes(labels: LabelSet) -> list[LabelAxis]:
    """Return the axes of a task: a single axis for ratings, pairs or two categories, otherwise an axis for each one."""
    if is_pair(labels):
        return [LabelAxis(is_pair=True)]
    if isinstance(labels, range):
        step = (labels[-1] - labels[0]) / 4
        return [LabelAxis(middle=(labels[0] + labels[-1]) / 2 / step, step=step)] if step else []
    if len(labels) == 2:
        return [LabelAxis(labels[1], labels[0])]
    return [LabelAxis(label) for label in labels]


def nearest_strength(weight: float) -> float:
    """Round a weight to a value of `STRENGTHS`, or to 0."""
    return min((0.0, *STRENGTHS.values()), key=lambda strength: abs(strength - abs(weight) / STRENGTH_UNIT))
