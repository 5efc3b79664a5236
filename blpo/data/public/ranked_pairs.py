"""Pairs from the ranked or rated images of a group, such as all images of a prompt."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path, PurePosixPath

from blpo.data.labels import as_text
from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import Preference, SourcePair
from blpo.data.public.public_set import SourceProblem
from blpo.data.public.source_rows import SourceRow, read_json_table, read_records, required_text, text_group
from blpo.data.splits import seeded
from state.sample import ImageSource, SplitName

MAX_RANK = 1000
_COLUMNS = ("id", "prompt", "generations", "ranking")
_ROUNDING_ERROR = 1e-9


@dataclass(frozen=True, slots=True)
class ScoredImage:
    """Image of a group with its score."""

    unit: str
    """Name of the group whose images are compared, such as the id of a prompt."""
    name: str
    """Path in the source."""
    image: ImageSource
    score: float
    """The higher, the better. The score of a rank is its negative."""
    place: str
    text: str | None = None
    group: str | None = None
    """Group of the pairs. Pairs of a group never fall into different splits."""
    shipped: SplitName | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further columns, equal in the whole unit."""
    sided: Mapping[str, object] = field(default_factory=dict)
    """Further columns with a value for each image."""
    ratings: Mapping[str, float] = field(default_factory=dict)
    """Scores by rater."""


@dataclass(frozen=True, slots=True)
class PairRule:
    """Rule for the pairs of a unit."""

    least: float = 0.0
    """Least difference of two scores. A smaller difference is a tie."""
    most: int | None = None
    """Maximum number of pairs of a unit, drawn from `seed`; None: all."""
    keeps_ties: bool = False
    """True if ties count as pairs for `most`."""
    seed: int = 0


def pairs_of(images: Iterable[ScoredImage], rule: PairRule) -> Iterator[SourcePair]:
    """Yield all pairs of every unit, ties too.

    The id of a pair is made of the unit's name and of the images' numbers in the unit, from 0. A rater who scored both
    images of a pair has a vote.
    """
    units: dict[tuple[str, SplitName | None], list[ScoredImage]] = {}
    for image in images:
        units.setdefault((image.unit, image.shipped), []).append(image)
    for unit in units.values():
        pairs = [_pair(i, j, unit, rule) for i, j in combinations(range(len(unit)), 2)]
        yield from _limited(pairs, rule)


def preference(first: float, second: float, least: float = 0.0) -> Preference:
    """Return the side with the higher score; None for a difference below `least` and for equal scores."""
    if first == second or abs(first - second) < least - _ROUNDING_ERROR:
        return None
    return int(second > first)


def read_rankings(file: Path, locator: ImageLocator) -> tuple[list[ScoredImage], list[SourceProblem]]:
    """Read a .json list of prompts with `generations` (paths) and `ranking`. A faulty image makes the row faulty."""

    def read_row(row: SourceRow, _: int, place: str) -> list[ScoredImage]:
        name, prompt = required_text(row, "id"), required_text(row, "prompt")
        paths, ranks = ranked_paths(row, "generations", "ranking")
        images = [locator.locate(path, place) for path in paths]
        return [
            ScoredImage(name, str(path), image, -rank, place, prompt, text_group(prompt), extra={"prompt_id": name})
            for path, image, rank in zip(paths, images, ranks, strict=True)
        ]

    prompts, problems = read_records(read_json_table(file), _COLUMNS, read_row)
    return [image for images in prompts for image in images], problems


def ranked_paths(
    row: SourceRow, paths_column: str, ranks_column: str, lowest: int = 1
) -> tuple[list[object], list[int]]:
    """Return the paths and ranks of a row.

    Raises `ValueError` for lists of two lengths, and for a rank below `lowest`.
    """
    paths, ranks = row[paths_column], row[ranks_column]
    if not isinstance(paths, list) or not isinstance(ranks, list) or len(paths) != len(ranks):
        raise ValueError(f"{paths_column} and {ranks_column} are not two lists of one length")
    return paths, [required_rank(rank, ranks_column, lowest) for rank in ranks]


def required_rank(value: object, column: str, lowest: int = 1) -> int:
    """Return a rank. Raises `ValueError` for a value that is no rank from `lowest`."""
    if type(value) is not int or not lowest <= value <= MAX_RANK:
        raise ValueError(f"{column} {display_text(as_text(value))} is not a rank from {lowest}")
    return value


def _pair(i: int, j: int, unit: Sequence[ScoredImage], rule: PairRule) -> SourcePair:
    first, second = unit[i], unit[j]
    return SourcePair(
        f"{first.unit}/{i}-{j}",
        first.place,
        preference(first.score, second.score, rule.least),
        (first.image, second.image),
        text=first.text,
        group=first.group,
        votes={
            rater: preference(score, second.ratings[rater])
            for rater, score in first.ratings.items()
            if rater in second.ratings
        },
        sided={name: (value, second.sided.get(name)) for name, value in first.sided.items()},
        extra={**first.extra, "difference": round(abs(first.score - second.score), 9)},
        names=(PurePosixPath(first.name).name, PurePosixPath(second.name).name),
        shipped=first.shipped,
    )


def _limited(pairs: Sequence[SourcePair], rule: PairRule) -> Sequence[SourcePair]:
    """Return the pairs of a unit, at most `rule.most`, in their order."""
    candidates = [pair for pair in pairs if pair.preferred is not None or rule.keeps_ties]
    if rule.most is None or len(candidates) <= rule.most:
        return pairs
    sample = sorted(candidates, key=lambda pair: seeded(rule.seed, "pairs", pair.id))[: rule.most]
    ids = {pair.id for pair in sample}
    return [pair for pair in pairs if pair.id in ids or not (rule.keeps_ties or pair.preferred is not None)]
