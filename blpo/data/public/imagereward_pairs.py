"""Pairs of ImageRewardDB: two images of a prompt with different ranks."""

from collections.abc import Mapping
from pathlib import Path

from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import pair_description
from blpo.data.public.imagereward_archives import COLUMNS, rows_of_archives
from blpo.data.public.public_set import PublicSet, SourceProblem
from blpo.data.public.ranked_pairs import MAX_RANK, RankedImage, pairs_of, read_rankings
from blpo.data.public.source_files import matching_files
from blpo.data.public.source_rows import SourceRow, read_records, required_integer, required_text
from state.errors import DataError
from state.sample import SplitName


def load_ranked_pairs(tables: Mapping[SplitName, Path], source: Path, locator: ImageLocator, seed: int) -> PublicSet:
    """Load all pairs of a prompt's images with different ranks, from the metadata, else from the rankings file."""
    images, problems, files = (
        _ranked_images(tables, source, locator) if tables else _images_ofrankings_file(source, locator)
    )
    description = pair_description("ImageRewardDB pairs", {"a": 70, "b": 70})
    return PublicSet(description, pairs_of(images, seed), tuple(problems), files, ("tied images make no pair",))


_RankedImages = tuple[list[RankedImage], list[SourceProblem], tuple[Path, ...]]


def _ranked_images(tables: Mapping[SplitName, Path], source: Path, locator: ImageLocator) -> _RankedImages:
    images: list[RankedImage] = []
    problems: list[SourceProblem] = []
    for split, file in tables.items():
        table, missing, _ = rows_of_archives(file, source, COLUMNS, None)

        def read_row(row: SourceRow, _: int, place: str, split: SplitName = split) -> RankedImage:
            image, rank = locator.locate(row["image_path"], place), required_integer(row, "rank", 1, MAX_RANK)
            extra = {"classification": row["classification"]}
            name, prompt = required_text(row, "prompt_id"), required_text(row, "prompt")
            return RankedImage(name, str(row["image_path"]), image, rank, place, prompt, split, extra)

        split_images, split_problems = read_records(table, COLUMNS, read_row)
        images += split_images
        problems += split_problems + missing
    return images, problems, tuple(tables.values())


def _images_ofrankings_file(source: Path, locator: ImageLocator) -> _RankedImages:
    rankings = rankings_file(source)
    if rankings is None:
        raise DataError(f"{source}: has neither metadata-SPLIT.parquet nor the rankings test.json")
    images, problems = read_rankings(rankings, locator)
    return images, problems, (rankings,)


def rankings_file(source: Path) -> Path | None:
    """Return the rankings file of the source, test.json; None without such a file."""
    return next(iter(matching_files(source, "test.json")), None)
