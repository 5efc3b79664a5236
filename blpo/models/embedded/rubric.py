"""Rubric: sentences of a judge prompt that the embedded judge follows.

Ratings:
    Start from a rating of 3.2.
    Lower the rating strongly when noise is high or above.
    Raise the rating slightly when sharpness is high or above and lower it when it is low or below.
Categories:
    Lean slightly towards "real" from the start.
    Lean towards "fake" when noise is above 62 and away from it when it is below 38.

A level word stands for the middle of its fifth of the 0 to 100 scale. A rule counts in full from the bound on, and
fades out over a level before the bound. A rule with an opposite bound reverses: from the opposite bound on, the
opposite counts in full, and between the bounds the share changes evenly. All other text of the prompt is neither
followed nor edited.
"""

import json
from dataclasses import dataclass

from blpo.models.embedded.vocabulary import LEVELS

STRENGTHS = {"slightly": 1.0, "": 3.0, "strongly": 8.0}
"""Weight of a rule by the adverb."""
FADE = 20.0
"""Part of the scale in which a one-sided rule fades out."""

LEVEL_CENTRES = {word: 10.0 + 20.0 * i for i, word in enumerate(LEVELS)}
_WORDS = {centre: word for word, centre in LEVEL_CENTRES.items()}


@dataclass(frozen=True, slots=True)
class Bound:
    """Bound of an attribute: values above `at`, or values below `at`."""

    at: float
    """Value from 0 to 100."""
    above: bool

    def __str__(self) -> str:
        side = "above" if self.above else "below"
        word = _WORDS.get(self.at)
        if word is None:
            return f"{side} {self.at:.0f}"
        return word if word.startswith("very") else f"{word} or {side}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Sentence of the rubric about an attribute."""

    attribute: str
    """Name of the vocabulary."""
    label: str | None
    """Category that the rule leans towards; None: the rule raises or lowers the rating."""
    weight: float
    """Strength, a value of `STRENGTHS`. Negative for a rule that lowers the rating."""
    bound: Bound
    """Bound from which the rule counts in full."""
    opposite: Bound | None = None
    """Bound from which the opposite counts in full; None for a one-sided rule."""

    def share(self, value: float) -> float:
        """Return the share of the rule that counts for a value (0 to 100): in [0, 1], two-sided in [-1, 1]."""
        sign = 1.0 if self.bound.above else -1.0
        if self.opposite is None:
            return min(1.0, max(0.0, 1.0 + sign * (value - self.bound.at) / FADE))
        middle, half = (self.bound.at + self.opposite.at) / 2, abs(self.bound.at - self.opposite.at) / 2
        return min(1.0, max(-1.0, sign * (value - middle) / max(half, 1.0)))

    def __str__(self) -> str:
        adverb = next(word for word, strength in STRENGTHS.items() if strength == abs(self.weight))
        adverb = f" {adverb}" if adverb else ""
        if self.label is None:
            verb, reverse = ("Raise", "lower it") if self.weight > 0 else ("Lower", "raise it")
            head = f"{verb} the rating{adverb}"
        else:
            head, reverse = f"Lean{adverb} towards {json.dumps(self.label, ensure_ascii=False)}", "away from it"
        tail = f" and {reverse} when it is {self.opposite}" if self.opposite else ""
        return f"{head} when {self.attribute} is {self.bound}{tail}."


@dataclass(frozen=True, slots=True)
class RubricStart:
    """Start of the judge, before any rule."""

    label: str | None
    """Category that the start leans towards; None: a rating."""
    value: float
    """Rating, or a value of `STRENGTHS`."""

    def __str__(self) -> str:
        if self.label is None:
            return f"Start from a rating of {f'{self.value:.2f}'.rstrip('0').rstrip('.')}."
        adverb = next(word for word, strength in STRENGTHS.items() if strength == self.value)
        return (
            f"Lean{' ' if adverb else ''}{adverb} towards {json.dumps(self.label, ensure_ascii=False)} from the start."
        )


Sentence = Rule | RubricStart
Subject = tuple[str | None, str | None]
"""Subject of a sentence: (attribute or None, label or None). A rubric holds a single sentence for a subject."""


def subject(sentence: Sentence) -> Subject:
    """Return the subject of the sentence."""
    return (sentence.attribute if isinstance(sentence, Rule) else None, sentence.label)
