"""How the embedded judge gets from measured attributes and a judge prompt to a label and a reason."""

import math
import re
from collections.abc import Mapping, Sequence

from blpo.models.embedded.rubric import Rule, Sentence, Start, parse, unquoted
from blpo.models.embedded.vocabulary import level

UNIT = 0.1
"""One degree of strength: in ratings, where the scale has five; in evidence for a category, where 1 is yes."""

Labels = range | tuple[str, ...]
"""All labels: ratings in a range, or categories."""

_IMPRESSIVE = ("sharpness", "contrast")
"""What a first impression goes by."""
_INTEGER = re.compile(r"an integer from (-?\d{1,9}) to (-?\d{1,9})")
_ONE_OF = re.compile(r'one of ((?:"(?:[^"\\]|\\.)*"(?:, )?)+)')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def read_labels(frame: str) -> Labels | None:
    """Return the labels that a frame names last: `an integer from 1 to 5`, `one of "a", "b"`; None for none."""
    found = [*_INTEGER.finditer(frame), *_ONE_OF.finditer(frame)]
    last = max(found, key=re.Match.start, default=None)
    if last is None:
        return None
    if last.re is _INTEGER:
        return range(int(last[1]), int(last[2]) + 1) or None
    return tuple(unquoted(label) for label in _STRING.findall(last[1]))


def decide(prompt: str, labels: Labels, values: Mapping[str, float]) -> tuple[int | str, str]:
    """Return label and reason for an image with the attributes `values` (0 to 100) under a judge prompt."""
    sentences = parse(prompt)
    if not sentences:
        return labels[_impression(values, len(labels))], "A first impression; the prompt names no criterion to follow."
    if isinstance(labels, range):
        rating = rating_under(sentences, labels, values)
        label: int | str = min(max(math.floor(rating + 0.5), labels[0]), labels[-1])
    else:
        guess = labels[_impression(values, len(labels))]
        label = max(labels, key=lambda each: (leaning_under(sentences, each, values), each == guess))
    return label, _reason(sentences, values)


def rating_under(sentences: Sequence[Sentence], labels: range, values: Mapping[str, float]) -> float:
    """Return the rating that a rubric gives, before it is rounded; what has no value counts as nothing."""
    start = next((s.value for s in sentences if isinstance(s, Start) and s.label is None), (labels[0] + labels[-1]) / 2)
    return start + (labels[-1] - labels[0]) / 4 * UNIT * _pull(sentences, None, values)


def leaning_under(sentences: Sequence[Sentence], label: str, values: Mapping[str, float]) -> float:
    """Return how far a rubric leans towards a category; what has no value counts as nothing."""
    start = sum(s.value for s in sentences if isinstance(s, Start) and s.label == label)
    return UNIT * (start + _pull(sentences, label, values))


def _pull(sentences: Sequence[Sentence], label: str | None, values: Mapping[str, float]) -> float:
    rules = (s for s in sentences if isinstance(s, Rule) and s.label == label and s.attribute in values)
    return sum(rule.weight * rule.share(values[rule.attribute]) for rule in rules)


def _impression(values: Mapping[str, float], count: int) -> int:
    """The first impression of somebody told no criterion: an index into `count` labels, mostly near the middle."""
    impressive = sum(values.get(name, 50.0) for name in _IMPRESSIVE) / len(_IMPRESSIVE)
    return min(count - 1, math.floor((25 + impressive / 2) / 100 * count))


def _reason(sentences: Sequence[Sentence], values: Mapping[str, float]) -> str:
    """One sentence naming what the rules found: `By the prompt: noise is high (72), sharpness is low (22).`."""
    weighed = dict.fromkeys(s.attribute for s in sentences if isinstance(s, Rule) and s.attribute in values)
    found = (f"{name} is {level(values[name])} ({values[name]:.0f})" for name in weighed)
    return f"By the criteria: {', '.join(found)}." if weighed else "The prompt says where to start and no more."
