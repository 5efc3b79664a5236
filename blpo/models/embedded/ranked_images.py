"""Parts of messages about a ranking: the numbered images, their values in a text, and the pairs of a ranking."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from langchain_core.messages import BaseMessage

from blpo.models.embedded.message_images import MessageImage
from blpo.models.embedded.pair_images import CONTEXT_HEADINGS, headed_images
from state.ranking import MOST_IMAGES, is_ranking_of, ranks_of

MOST_PAIRS = 10
"""Pairs of a ranking to learn from: all pairs of five images, and of more images the pairs farthest apart."""

_HEADING = re.compile(r"Image (\d{1,3}):")
_IN_TEXT = re.compile(r"\bImage (\d{1,3}): ")
_FRAME = re.compile(r"an array of all image numbers from 1 to (\d{1,3})\b")


def asks_for_ranking(frame: str) -> bool:
    """Return True if the frame asks for an array of image numbers."""
    return _FRAME.search(frame) is not None


def numbered_images(messages: Sequence[BaseMessage]) -> list[MessageImage]:
    """Return the images with the headings `Image 1:`, `Image 2:` and so on; empty for other headings."""
    headed = [(heading, image) for heading, image in headed_images(messages) if heading not in CONTEXT_HEADINGS]
    pairs = [(_HEADING.fullmatch(heading), image) for heading, image in headed]
    images = [image for number, (match, image) in enumerate(pairs, 1) if match and int(match[1]) == number]
    return images if len(images) == len(pairs) > 1 else []


def numbered_text(texts: Sequence[str]) -> str:
    """Return texts about images, each after its heading: `Image 1: ... Image 2: ...`."""
    return " ".join(f"Image {number}: {text}" for number, text in enumerate(texts, 1))


def texts_by_number(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of every part of a `numbered_text`."""
    parts = _IN_TEXT.split(text)[1:]
    yield from ((int(number), part) for number, part in zip(parts[::2], parts[1::2], strict=True))


def is_ranking(label: str) -> bool:
    """Return True for a ranking such as `2>1=3`."""
    try:
        return 2 <= len(ranks_of(label)) <= MOST_IMAGES
    except ValueError:
        return False


def ranked_pairs(human: str, judge: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield the pairs of a human ranking: two image numbers, and the better one by people and by the judge.

    The better one is `first` or `second`. Images that people find equal are no pair. A judge without a ranking of the
    same images answers with its own text.
    """
    ranks = ranks_of(human)
    answers = ranks_of(judge) if is_ranking_of(judge, len(ranks)) else ()
    pairs = [(i, j) for i, j in combinations(range(len(ranks)), 2) if ranks[i] != ranks[j]]
    for i, j in sorted(sorted(pairs, key=lambda pair: -abs(ranks[pair[0]] - ranks[pair[1]]))[:MOST_PAIRS]):
        yield i + 1, j + 1, _better(ranks[i], ranks[j]), _better(answers[i], answers[j]) if answers else judge


def _better(one: int, other: int) -> str:
    return "tie" if one == other else "first" if one < other else "second"


def merged_values(parts: Sequence[tuple[int, Mapping[str, float]]]) -> dict[int, dict[str, float]]:
    """Return the values of every image from several parts about the image."""
    values: dict[int, dict[str, float]] = {}
    for number, part in parts:
        values.setdefault(number, {}).update(part)
    return values
