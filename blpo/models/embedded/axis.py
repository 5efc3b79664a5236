"""The directions along which labels differ: the rating, or one category against the rest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from blpo.models.embedded.judging import UNIT, Labels
from blpo.models.embedded.rubric import STRENGTHS, Rule, Sentence, Start

_INTEGER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction: sentences about `label` push along it, those about `other` against it."""

    label: str | None = None
    """The category at its far end; None: the rating."""
    other: str | None = None
    """The only other category; None where there are several, or a rating."""
    middle: float = 0.0
    """Where a judge without a start begins."""
    step: float = 1.0
    """One unit of the axis, in ratings: a quarter of the scale."""

    def place(self, human: str) -> float | None:
        """Return where a human label stands on the axis; None for text that is no rating."""
        if self.label is not None:
            return 1.0 if human == self.label else -1.0
        return int(human) / self.step if _INTEGER.fullmatch(human) else None

    def sign(self, sentence: Sentence) -> float:
        """Return 1 for a sentence that pushes along the axis, -1 against it, 0 for one about something else."""
        if sentence.label == self.label:
            return 1.0
        return -1.0 if self.other is not None and sentence.label == self.other else 0.0

    def start(self, starts: Sequence[Start]) -> float:
        """Return where these sentences make the judge begin."""
        if self.label is None:
            return starts[0].value / self.step if starts else self.middle
        return UNIT * sum(self.sign(start) * start.value for start in starts)

    def begin_at(self, place: float) -> Start | None:
        """Say where to begin; None where nothing needs to be said."""
        if self.label is None:
            return Start(None, round(place * self.step, 1 if self.step >= 1 else 2))
        label = self.label if place > 0 else self.other
        strength = nearest_strength(place)
        return Start(label, strength) if label is not None and strength else None

    def weigh(self, rule: Rule, weight: float) -> Rule | None:
        """Say in words that `rule`'s attribute counts `weight` along the axis; None where it hardly counts."""
        strength = nearest_strength(weight)
        forward = weight * self.sign(rule) > 0
        if not strength:
            return None
        if self.label is None:
            return replace(rule, weight=strength if weight > 0 else -strength)
        if forward:
            return replace(rule, weight=strength)
        if self.other is not None:
            return replace(rule, weight=strength, label=self.other if rule.label == self.label else self.label)
        return (
            None if rule.opposite is None else replace(rule, weight=strength, bound=rule.opposite, opposite=rule.bound)
        )


def axes(labels: Labels) -> list[Axis]:
    """Return the axes of a task: one for ratings and for two categories, else one for each category."""
    if isinstance(labels, range):
        step = (labels[-1] - labels[0]) / 4
        return [Axis(middle=(labels[0] + labels[-1]) / 2 / step, step=step)] if step else []
    if len(labels) == 2:
        return [Axis(labels[1], labels[0])]
    return [Axis(label) for label in labels]


def nearest_strength(weight: float) -> float:
    """Round a weight to what words can say: a value of `STRENGTHS`, or 0."""
    return min((0.0, *STRENGTHS.values()), key=lambda strength: abs(strength - abs(weight) / UNIT))
