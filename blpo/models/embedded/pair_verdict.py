"""Verdict of the embedded judge on a pair: the difference of two scores, and a lean to the first.

The score of an image is what the rubric's rating sentences add up to, in steps of a five-point scale. The judge answers
`first` if the first image scores higher. Many judges lean to one position where two items are close, and the embedded
judge does so too: it adds `LEAN` to the first. A prompt that says that the order says nothing lowers the lean to
`REMAINING_LEAN`. The judge reads the prompt alone: the same words in the frame after the line `---` change nothing.

Sentences that lean towards a category do not tell which of two images is better; they count nothing.
"""

from collections.abc import Mapping

from blpo.models.embedded.pair_text import ignores_order, pair_phrase
from blpo.models.embedded.rubric import Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.rubric_verdict import STRENGTH_UNIT, impression, pull
from blpo.models.embedded.text_claims import distance, read_claims

LEAN = 0.3
"""Lean to the first of a pair, in steps of a five-point scale: the weight of a rule without an adverb."""
REMAINING_LEAN = 0.03
"""Lean under a prompt that says that the order says nothing."""
TIE = 0.1
"""Largest difference of a tie, where the labels have a tie: the weight of a slight rule."""

_POINTS = 5


def decide_pair(
    prompt: str, labels: tuple[str, ...], first: Mapping[str, float], second: Mapping[str, float]
) -> tuple[str, str]:
    """Return label and reason for two images with the attributes `first` and `second` under a judge prompt."""
    rules = [s for s in parse_rubric(prompt) if isinstance(s, Rule) and s.label is None]
    if not rules:
        difference = _POINTS * (impression(first) - impression(second))
        return _label(prompt, labels, difference), "First impressions; the prompt names no criterion to compare by."
    difference = STRENGTH_UNIT * (pull(rules, None, first) - pull(rules, None, second))
    names = dict.fromkeys(rule.attribute for rule in rules if rule.attribute in first and rule.attribute in second)
    phrases = "; ".join(pair_phrase(name, first[name], second[name]) for name in names)
    return _label(prompt, labels, difference), f"By the criteria: {phrases}."


def decide_texts(
    prompt: str, labels: tuple[str, ...], texts: tuple[str, str], values: Mapping[str, float]
) -> tuple[str, str]:
    """Return label and reason for two texts about an image with the attributes `values`.

    The better text is nearer to the image in what the text states of attributes, such as `high contrast`. A level off
    is a step. Criteria of the prompt count nothing.
    """
    first, second = (distance(read_claims(text), values) for text in texts)
    return _label(prompt, labels, second - first), (
        f"The statements of the first text are {first:.1f} levels off the image, those of the second {second:.1f}."
    )


def _label(prompt: str, labels: tuple[str, ...], difference: float) -> str:
    """Return the label for a difference of scores, first less second. `labels` are first, second and perhaps tie."""
    leaning = difference + (REMAINING_LEAN if ignores_order(prompt) else LEAN)
    if len(labels) > 2 and abs(leaning) <= TIE:
        return labels[2]
    return labels[0] if leaning >= 0 else labels[1]
