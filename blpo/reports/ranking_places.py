"""Places in rankings: of people's best image in the judge's ranking, and of the judge's best image in the message."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blpo.runs.verdict_rows import VerdictRow
from state.ranking import permutation_of, ranks_of


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Lists with a place, under the first and under the selected prompt."""

    place: int
    best: tuple[int, ...]
    """Lists in which the judge ranks an image that people find best at this place."""
    winners: tuple[int, ...]
    """Lists in which the image at this place of the message is the judge's best: evidence of a lean to a place."""
    expected: float
    """Lists with this winner without any lean: the sum of 1 / number of images."""


def place_rows(prompts: Sequence[Iterable[VerdictRow]]) -> list[PlaceRow]:
    """Return a row for every place, over the answered lists of several prompts; `expected` is that of the last one."""
    answered = [[row for row in rows if row.status == "ok"] for rows in prompts]
    best = [Counter(map(_place_of_best, rows)) for rows in answered]
    winners = [Counter(permutation_of(str(row.verdict))[0] for row in rows) for rows in answered]
    sizes = [len(ranks_of(str(row.verdict))) for row in (answered[-1] if answered else [])]
    return [
        PlaceRow(
            place,
            tuple(counts[place] for counts in best),
            tuple(counts[place] for counts in winners),
            sum(1 / size for size in sizes if size >= place),
        )
        for place in range(1, max(sizes, default=0) + 1)
    ]


def _place_of_best(row: VerdictRow) -> int:
    """Return the first place, in the judge's ranking, of an image that people find best."""
    people = ranks_of(str(row.label))
    return next(place for place, image in enumerate(permutation_of(str(row.verdict)), 1) if people[image - 1] == 1)
