"""Verdict of the embedded judge: from a rubric and measured attributes to a label and a reason."""

import math
import re
from collections.abc import Mapping, Sequence

from blpo.models.embedded.rubric import RubricStart, Rule, Sentence
from blpo.models.embedded.rubric_text import parse_rubric, unquoted
from blpo.models.embedded.vocabulary import level

STRENGTH_UNIT = 0.1
"""Degree of strength: in ratings of a five-point scale, or in evidence for a category (1 is yes)."""

LabelSet = range | tuple[str, ...]
"""All labels of a task: ratings in a range, or categories."""

PAIR_LABELS = ("first", "second")
"""Answers to a pair. A third answer may be a tie."""
_TIE = "tie"
LIST_LABELS = (*PAIR_LABELS, _TIE, "in a ranking")
"""Labels of the pairs of rankings: a ranking is read as its pairs."""

_IMPRESSIVE = ("sharpness", "contrast")
"""Attributes of a first impression."""
_INTEGER = re.compile(r"an integer from (-?\d{1,9}) to (-?\d{1,9})")
_ONE_OF = re.compile(r'one of ((?:"(?:[^"\\]|\\.)*"(?:, )?)+)')
_WORDED = re.compile(_ONE_OF.pattern + r", which mean the ratings (-?\d{1,9}) to (-?\d{1,9}) in this order")
"""Words that stand for ratings."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def labels_in_frame(frame: str) -> LabelSet | None:
    """Return the last labels in a frame, such as `an integer from 1 to 5` or `one of "a", "b"`; None without labels."""
    matches = [*_INTEGER.finditer(frame), *_ONE_OF.finditer(frame)]
    last = max(matches, key=re.Match.start, default=None)
    if last is None:
        return None
    if last.re is _INTEGER:
        return range(int(last[1]), int(last[2]) + 1) or None
    return tuple(unquoted(label) for label in _STRING.findall(last[1]))


def words_in_frame(frame: str) -> dict[int, str]:
    """Return the words that a frame asks for in place of ratings, by rating; empty for another frame."""
    match = _WORDED.search(frame)
    if match is None:
        return {}
    words, ratings = map(unquoted, _STRING.findall(match[1])), range(int(match[2]), int(match[3]) + 1)
    return dict(zip(ratings, words, strict=False))


def is_pair(labels: LabelSet) -> bool:
    """Return True for the labels of pairs: first and second, or first, second and tie, or the pairs of rankings."""
    return labels in (PAIR_LABELS, (*PAIR_LABELS, _TIE), LIST_LABELS)


def decide(prompt: str, labels: LabelSet, values: Mapping[str, float]) -> tuple[int | str, str]:
    """Return label and reason for an image with the attributes `values` (0 to 100) under a judge prompt."""
    sentences = parse_rubric(prompt)
    if not sentences:
        return labels[_impression(values, len(labels))], "A first impression; the prompt names no criterion to follow."
    if isinstance(labels, range):
        rating = _rating(sentences, labels, values)
        label: int | str = min(max(math.floor(rating + 0.5), labels[0]), labels[-1])
    else:
        guess = labels[_impression(values, len(labels))]
        label = max(labels, key=lambda label: (_leaning(sentences, label, values), label == guess))
    return label, _reason(sentences, values)


def sureness(prompt: str, labels: LabelSet, values: Mapping[str, float]) -> float:
    """Return how sure the judge is of the label of `decide`, from 0.5 to 1.

    Ratings: by the distance from the border to the next rating, at most half a rating. Categories: by the lead over the
    second. A first impression is as sure as a guess.
    """
    sentences = parse_rubric(prompt)
    if not sentences or len(labels) < 2:
        return 0.5
    if isinstance(labels, range):
        rating = _rating(sentences, labels, values)
        borders = [label + 0.5 for label in labels[:-1]]
        return 0.5 + min(0.5, min(abs(rating - border) for border in borders))
    second, first = sorted(_leaning(sentences, label, values) for label in labels)[-2:]
    return 0.5 + min(0.5, (first - second) / 2)


def _rating(sentences: Sequence[Sentence], labels: range, values: Mapping[str, float]) -> float:
    """Return the rating of a rubric, not rounded. An attribute without a value counts nothing."""
    starts = (s.value for s in sentences if isinstance(s, RubricStart) and s.label is None)
    start = next(starts, (labels[0] + labels[-1]) / 2)
    return start + (labels[-1] - labels[0]) / 4 * STRENGTH_UNIT * pull(sentences, None, values)


def _leaning(sentences: Sequence[Sentence], label: str, values: Mapping[str, float]) -> float:
    """Return the leaning of a rubric towards a category. An attribute without a value counts nothing."""
    start = sum(s.value for s in sentences if isinstance(s, RubricStart) and s.label == label)
    return STRENGTH_UNIT * (start + pull(sentences, label, values))


def pull(sentences: Sequence[Sentence], label: str | None, values: Mapping[str, float]) -> float:
    """Return the sum of the rules' weights times shares, in degrees of strength. A missing attribute counts nothing."""
    rules = (s for s in sentences if isinstance(s, Rule) and s.label == label and s.attribute in values)
    return sum(rule.weight * rule.share(values[rule.attribute]) for rule in rules)


def _impression(values: Mapping[str, float], count: int) -> int:
    """Return the first impression of a judge without criteria, as an index into `count` labels."""
    return min(count - 1, math.floor(impression(values) * count))


def impression(values: Mapping[str, float]) -> float:
    """Return the first impression of an image, as a share of the scale: 1/4 to 3/4, higher is better."""
    impressive = sum(values.get(name, 50.0) for name in _IMPRESSIVE) / len(_IMPRESSIVE)
    return (25 + impressive / 2) / 100


def _reason(sentences: Sequence[Sentence], values: Mapping[str, float]) -> str:
    """Return the rules' attributes in a sentence: `By the criteria: noise is high (72), sharpness is low (22).`."""
    names = dict.fromkeys(s.attribute for s in sentences if isinstance(s, Rule) and s.attribute in values)
    measures = (f"{name} is {level(values[name])} ({values[name]:.0f})" for name in names)
    return f"By the criteria: {', '.join(measures)}." if names else "The prompt says where to start and no more."
