"""Rankings of images as labels: `2>1=3` says that image 2 is the best, and that images 1 and 3 are equal.

The numbers are the places of the images in the sample, from 1. The best image stands first. Equal images stand in the
order of their numbers, so equal rankings have equal texts.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations

MOST_IMAGES = 8
"""Largest number of images in a ranking: judges compare few images well."""

_RANKING = re.compile(r"[1-9](?:[>=][1-9])+")


def ranking_label(ranks: Sequence[float]) -> str:
    """Return the label of images with these ranks, the lowest rank is the best: `2>1=3` for (2, 1, 2)."""
    levels = [[place for place, rank in enumerate(ranks, 1) if rank == level] for level in sorted(set(ranks))]
    return ">".join("=".join(map(str, places)) for places in levels)


def label_of_permutation(places: Iterable[int]) -> str:
    """Return the label of a permutation, best first: `2>1>3` for (2, 1, 3)."""
    return ">".join(map(str, places))


def ranks_of(label: str) -> tuple[int, ...]:
    """Return the rank of every image, from 1 for the best: (2, 1, 2) for `2>1=3`. Equal images share a rank.

    Raises `ValueError` for a text that `ranking_label` doesn't return.
    """
    levels = [level.split("=") for level in label.split(">")] if _RANKING.fullmatch(label) else []
    ranks = {int(place): rank for rank, level in enumerate(levels, 1) for place in level}
    values = tuple(ranks.get(place, 0) for place in range(1, len(ranks) + 1))
    if not values or ranking_label(values) != label:
        raise ValueError(f"{label!r} is no ranking, such as 2>1=3")
    return values


def permutation_of(label: str) -> tuple[int, ...]:
    """Return the places of the images, best first: (2, 1, 3) for `2>1=3`. Raises `ValueError` as `ranks_of`."""
    ranks = ranks_of(label)
    return tuple(sorted(range(1, len(ranks) + 1), key=lambda place: ranks[place - 1]))


def is_ranking_of(label: object, images: int) -> bool:
    """Return True for a ranking of so many images."""
    try:
        return isinstance(label, str) and len(ranks_of(label)) == images
    except ValueError:
        return False


def reversed_ranking(label: str) -> str:
    """Return the ranking from worst to best: the farthest ranking. Raises `ValueError` as `ranks_of`."""
    return ranking_label([-rank for rank in ranks_of(label)])


def agrees(answer: object, human: object) -> bool:
    """Return True for a right answer: equal labels, or a ranking that no two images of `human` contradict.

    People may find images equal, and a judge must put one of them first: either order is right.
    """
    return answer == human or (isinstance(answer, str) and isinstance(human, str) and _is_in_order(answer, human))


@lru_cache(65_536)
def _is_in_order(answer: str, human: str) -> bool:
    try:
        pairs = combinations(zip(ranks_of(human), ranks_of(answer), strict=True), 2)
    except ValueError:
        return False
    return all(one == other or (one - other) * (first - second) > 0 for (one, first), (other, second) in pairs)


def renumbered(label: str, places: Sequence[int]) -> str:
    """Return the same ranking after a change of the places: the image at place i had the place `places[i - 1]`.

    With the places (3, 1, 2) in a message, the answer `1>2>3` says `3>1>2` of the sample. Raises `ValueError` as
    `ranks_of`, and for another number of places.
    """
    ranks = ranks_of(label)
    if len(ranks) != len(places):
        raise ValueError(f"{label!r} ranks {len(ranks)} images, not {len(places)}")
    by_place = dict(zip(places, ranks, strict=True))
    return ranking_label([by_place[place] for place in sorted(by_place)])
