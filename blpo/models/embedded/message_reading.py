"""Reading of messages by the embedded optimizer: labels, cases and trials between the tags of the prompts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from blpo.models.embedded.pair_text import pair_phrases, without_pair_phrases
from blpo.models.embedded.ranked_images import is_ranking, merged_values, ranked_pairs, texts_by_number
from blpo.models.embedded.rubric_text import unquoted
from blpo.models.embedded.rubric_verdict import LIST_LABELS
from blpo.models.embedded.vocabulary import BY_NAME

_VALUE = re.compile(r"\b([A-Za-z][a-z-]*(?: [a-z-]+){0,5}?) is (?:very low|low|medium|high|very high) \((\d{1,3})\)")
_LABEL = re.compile(r'("(?:[^"\\]|\\.)*"|[^,"][^,]*)(?:, |\Z)')
"""Category. A category with a comma or a quotation mark is quoted as JSON."""
_SWAPPED = re.compile(r", and .* when the (images|texts) are swapped")
_IMAGE_HEADING = re.compile(r"\b(First|Second) image: ")
_SWAPPED_ORDER = "Swapped order:"
"""Start of the judge's reason about a swapped pair: the first image of this reason is the second image of the case."""
_RECENT = 8192
"""Texts whose attributes are in memory: the messages of a round repeat the descriptions of the batch."""
_RANKINGS = "rankings of the images"
_RATINGS = re.compile(r"integers from (-?\d{1,9}) \(lowest\) to (-?\d{1,9}) \(highest\)")


@dataclass(frozen=True, slots=True)
class MessageCase:
    """Sample in a message."""

    human: str
    judge: str
    values: Mapping[str, float]
    """Attributes in the descriptions, in the feedback or in the judge's reason, 0 to 100."""
    pair: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {})
    """The same of the first and of the second image of a pair."""

    @property
    def right(self) -> bool:
        """True if judge and people agree."""
        return self.human == self.judge

    @property
    def depends_on(self) -> str | None:
        """`images` or `texts` if the verdict changes when these are swapped, else None."""
        match = _SWAPPED.search(self.judge)
        return match[1] if match is not None else None

    def merged(self, other: "MessageCase") -> "MessageCase":
        """Return the case with the values of both cases. The cases are of the same sample."""
        pair = {**self.pair[0], **other.pair[0]}, {**self.pair[1], **other.pair[1]}
        return replace(self, values={**self.values, **other.values}, pair=pair)


def all_elements(text: str, tag: str) -> list[str]:
    """Return the stripped texts between `<tag>` and the next `</tag>`. A tag without an end is ignored."""
    pieces = (piece.partition(f"</{tag}>") for piece in text.split(f"<{tag}>")[1:])
    return [inside.strip() for inside, end, _ in pieces if end]


def first_element(text: str, tag: str) -> str:
    """Return the text between the first `<tag>` and the next `</tag>`; empty without such tags."""
    return next(iter(all_elements(text, tag)), "")


def read_cases(text: str) -> list[MessageCase]:
    """Return all cases with a human label, in order. A ranking is several cases: the pairs of its images."""
    cases = (case for element in all_elements(text, "case") for case in _cases(element))
    return [case for case in cases if case.human]


@lru_cache(maxsize=_RECENT)
def read_values(text: str) -> Mapping[str, float]:
    """Return the attributes in a description or a reason, such as `Noise is high (72).`."""
    return MappingProxyType(_attributes(_VALUE.findall(text)))


def read_pair_values(text: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return the attributes of the first and of the second image of a pair in a description or a reason.

    A text has parts that begin with `First image:` or `Second image:`, or phrases with both values.
    """
    if "econd" not in text:
        return {}, {}
    phrases = pair_phrases(text)
    first = _attributes((name, value) for name, value, _ in phrases)
    second = _attributes((name, value) for name, _, value in phrases)
    parts = _IMAGE_HEADING.split(without_pair_phrases(text))[1:]
    for place, part in zip(parts[::2], parts[1::2], strict=True):
        (first if place == "First" else second).update(read_values(part))
    return first, second


def read_labels(message: str) -> range | tuple[str, ...]:
    """Return the task's labels in order; empty for a message without labels."""
    line = next((line for line in message.split("\n") if line.startswith("Labels: ")), "").removeprefix("Labels: ")
    if line.startswith(_RANKINGS):
        return LIST_LABELS
    if (ratings := _RATINGS.fullmatch(line)) is not None:
        return range(int(ratings[1]), int(ratings[2]) + 1)
    return tuple(unquoted(label) if label.startswith('"') else label for label in _LABEL.findall(line))


def _cases(text: str) -> Iterator[MessageCase]:
    tags = ("judge_reason", "description", "feedback")
    texts = [part for tag in tags for part in all_elements(text, tag)]
    human = first_element(text, "human")
    numbered = [part for text in texts for part in texts_by_number(text)] if is_ranking(human) else []
    if parts := [(number, read_values(part)) for number, part in numbered]:
        values = merged_values(parts)
        for one, other, better, answer in ranked_pairs(human, first_element(text, "judge")):
            pair = values.get(one, {}), values.get(other, {})
            yield MessageCase(better, answer, {**pair[0], **pair[1]}, pair)
    else:
        yield _case(text, texts)


def _case(text: str, texts: Sequence[str]) -> MessageCase:
    pair: tuple[dict[str, float], dict[str, float]] = {}, {}
    for part in texts:
        plain, _, swapped = part.partition(_SWAPPED_ORDER)
        for place, values in enumerate((*read_pair_values(plain), *reversed(read_pair_values(swapped)))):
            pair[place % 2].update(values)
    values = {name: value for part in texts for name, value in read_values(part).items()}
    return MessageCase(first_element(text, "human"), first_element(text, "judge"), values, pair)


def _attributes(pairs: Iterable[tuple[str, str | float]]) -> dict[str, float]:
    values = ((name.lower(), min(100.0, float(value))) for name, value in pairs)
    return {name: value for name, value in values if name in BY_NAME}
