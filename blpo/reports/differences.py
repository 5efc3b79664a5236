"""Differences between two texts, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "added", "removed"]

MOST_PAIRS = 4_000_000
"""Largest number of pairs of words, or of lines, that are compared: a hostile text would take hours."""
_TOKEN = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text: same, added or removed."""

    kind: Kind
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """Return the pieces in reading order.

    Same and removed pieces make `old`, same and added pieces make `new`; the two texts end with a newline.
    Lines are matched first, then words within changed lines, so that a rewritten sentence is not cut into chance
    matches with a neighbour. Changed parts of more than about 2,000 words are shown as a whole.
    """
    return _merged(_lines(_lines_of(old), _lines_of(new)))


def _lines_of(text: str) -> list[str]:
    return [line + "\n" for line in text.split("\n")]


def _lines(old: list[str], new: list[str]) -> Iterator[Piece]:
    if len(old) * len(new) > MOST_PAIRS:
        yield from _whole("".join(old), "".join(new))
        return
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        before, after = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            yield Piece("same", before)
        else:
            yield from _words(before, after)


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    is_long = len(old) * len(new) > MOST_PAIRS
    if is_long or matcher.ratio() < 0.4:  # a new sentence is easier to read as a whole
        yield from _whole(before, after)
        return
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[a:b]))
        else:
            yield Piece("removed", "".join(old[a:b]))
            yield Piece("added", "".join(new[c:d]))


def _whole(before: str, after: str) -> Iterator[Piece]:
    yield Piece("same", before) if before == after else Piece("removed", before)
    yield Piece("added", "" if before == after else after)


def _merged(pieces: Iterator[Piece]) -> list[Piece]:
    """Join neighbours of equal kind, and drop empty pieces."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1].kind == piece.kind:
            merged[-1] = Piece(piece.kind, merged[-1].text + piece.text)
        elif piece.text:
            merged.append(piece)
    return merged
