"""Pairs from the ranked images of a prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path, PurePosixPath

from blpo.data.labels import as_text
from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import pair_record
from blpo.data.public.public_set import Record, SourceProblem
from blpo.data.public.source_rows import SourceRow, read_json_table, read_records, required_text, text_group
from state.sample import ImageSource, SplitName

MAX_RANK = 1000
_COLUMNS = ("id", "prompt", "generations", "ranking")


@dataclass(frozen=True, slots=True)
class RankedImage:
    """Image of a prompt with its rank. Rank 1 is the best; ties are allowed."""

    prompt_id: str
    name: str
    """Path in the source."""
    image: ImageSource
    rank: int
    place: str
    prompt: str
    shipped: SplitName | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


def pairs_of(images: Sequence[RankedImage], seed: int) -> tuple[Record, ...]:
    """Return all pairs of a prompt's images with different ranks.

    The id of a pair is made of the prompt's id and of the images' numbers in the prompt, from 0.
    """
    by_prompt: dict[tuple[str, SplitName | None], list[RankedImage]] = {}
    for image in images:
        by_prompt.setdefault((image.prompt_id, image.shipped), []).append(image)
    return tuple(
        _pair(i, j, of_prompt, seed)
        for of_prompt in by_prompt.values()
        for i, j in combinations(range(len(of_prompt)), 2)
        if of_prompt[i].rank != of_prompt[j].rank
    )


def read_rankings(file: Path, locator: ImageLocator) -> tuple[list[RankedImage], list[SourceProblem]]:
    """Read a .json list of prompts with `generations` (paths) and `ranking`. A faulty image makes the row faulty."""

    def read_row(row: SourceRow, _: int, place: str) -> list[RankedImage]:
        name, prompt = required_text(row, "id"), required_text(row, "prompt")
        paths, ranks = row["generations"], row["ranking"]
        if not isinstance(paths, list) or not isinstance(ranks, list) or len(paths) != len(ranks):
            raise ValueError("generations and ranking are not two lists of one length")
        for rank in ranks:
            if type(rank) is not int or not 1 <= rank <= MAX_RANK:
                raise ValueError(f"ranking {display_text(as_text(rank))} is not a rank from 1")
        images = [locator.locate(path, place) for path in paths]
        return [
            RankedImage(name, str(path), image, rank, place, prompt)
            for path, image, rank in zip(paths, images, ranks, strict=True)
        ]

    prompts, problems = read_records(read_json_table(file), _COLUMNS, read_row)
    return [image for images in prompts for image in images], problems


def _pair(i: int, j: int, images: Sequence[RankedImage], seed: int) -> Record:
    first, second = images[i], images[j]
    extra = {"prompt_id": first.prompt_id, "rank_difference": abs(first.rank - second.rank), **first.extra}
    record = pair_record(
        f"{first.prompt_id}/{i}-{j}",
        (first.image, second.image),
        int(second.rank < first.rank),
        first.place,
        first.prompt,
        text_group(first.prompt),
        extra,
        seed,
        (PurePosixPath(first.name).name, PurePosixPath(second.name).name),
    )
    return replace(record, shipped=first.shipped)
