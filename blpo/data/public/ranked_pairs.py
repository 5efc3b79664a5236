"""From ranked images of one prompt to pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path, PurePosixPath

from blpo.data.labels import as_text
from blpo.data.message_text import display_text
from blpo.data.public.image_places import ImagePlaces
from blpo.data.public.pairs import pair
from blpo.data.public.reading import Row, json_rows, read_records, text_group, wanted_text
from blpo.data.public.record import Problem, Record
from state.sample import ImageSource, SplitName

MOST_RANKS = 1000
COLUMNS = ("id", "prompt", "generations", "ranking")


@dataclass(frozen=True, slots=True)
class Ranked:
    """One image of a prompt and its rank, 1 the best; ties are allowed."""

    prompt_id: str
    name: str
    """Its path in the source."""
    image: ImageSource
    rank: int
    place: str
    prompt: str
    shipped: SplitName | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


def pairs_of(ranked: Sequence[Ranked], seed: int) -> tuple[Record, ...]:
    """Every two images of a prompt whose ranks differ; their id is the prompt's and their numbers in it, from 0."""
    by_prompt: dict[tuple[str, SplitName | None], list[Ranked]] = {}
    for image in ranked:
        by_prompt.setdefault((image.prompt_id, image.shipped), []).append(image)
    return tuple(
        _pair(i, j, images, seed)
        for images in by_prompt.values()
        for i, j in combinations(range(len(images)), 2)
        if images[i].rank != images[j].rank
    )


def read_rankings(file: Path, places: ImagePlaces) -> tuple[list[Ranked], list[Problem]]:
    """Read a .json list of prompts with `generations` (paths) and `ranking`; one bad image makes the row bad."""

    def read(row: Row, _: int, place: str) -> list[Ranked]:
        name, prompt = wanted_text(row, "id"), wanted_text(row, "prompt")
        paths, ranks = row["generations"], row["ranking"]
        if not isinstance(paths, list) or not isinstance(ranks, list) or len(paths) != len(ranks):
            raise ValueError("generations and ranking are not two lists of one length")
        for rank in ranks:
            if type(rank) is not int or not 1 <= rank <= MOST_RANKS:
                raise ValueError(f"ranking {display_text(as_text(rank))} is not a rank from 1")
        found = [places.find(path, place) for path in paths]
        return [
            Ranked(name, str(path), image, rank, place, prompt)
            for path, image, rank in zip(paths, found, ranks, strict=True)
        ]

    prompts, problems = read_records(json_rows(file), COLUMNS, read)
    return [image for images in prompts for image in images], problems


def _pair(i: int, j: int, images: Sequence[Ranked], seed: int) -> Record:
    one, other = images[i], images[j]
    extra = {"prompt_id": one.prompt_id, "rank_difference": abs(one.rank - other.rank), **one.extra}
    made = pair(
        f"{one.prompt_id}/{i}-{j}",
        (one.image, other.image),
        int(other.rank < one.rank),
        one.place,
        one.prompt,
        text_group(one.prompt),
        extra,
        seed,
        (PurePosixPath(one.name).name, PurePosixPath(other.name).name),
    )
    return replace(made, shipped=one.shipped)
