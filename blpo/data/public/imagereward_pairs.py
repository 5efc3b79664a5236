"""Pairs of ImageRewardDB: two images of a prompt with different ranks."""

from collections.abc import Mapping
from pathlib import Path

from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import pair_description, pair_records
from blpo.data.public.imagereward_archives import COLUMNS, rows_of_archives
from blpo.data.public.preparation_options import Options
from blpo.data.public.public_set import PublicSet, SourceProblem
from blpo.data.public.ranked_pairs import MAX_RANK, PairRule, ScoredImage, pairs_of, read_rankings
from blpo.data.public.source_files import matching_files
from blpo.data.public.source_rows import SourceRow, read_records, required_integer, required_text, text_group
from state.errors import DataError
from state.sample import SplitName


def load_ranked_pairs(
    tables: Mapping[SplitName, Path], source: Path, locator: ImageLocator, options: Options
) -> PublicSet:
    """Load all pairs of a prompt's images, from the metadata, else from the rankings file."""
    images, problems, files = (
        _ranked_images(tables, source, locator) if tables else _images_of_rankings_file(source, locator)
    )
    description = pair_description("ImageRewardDB pairs", options, is_test_set=False)
    records, notes = pair_records(pairs_of(images, PairRule()), options)
    return PublicSet(description, records, tuple(problems), files, notes)


_RankedImages = tuple[list[ScoredImage], list[SourceProblem], tuple[Path, ...]]


def _ranked_images(tables: Mapping[SplitName, Path], source: Path, locator: ImageLocator) -> _RankedImages:
    images: list[ScoredImage] = []
    problems: list[SourceProblem] = []
    for split, file in tables.items():
        table, missing, _ = rows_of_archives(file, source, COLUMNS, None)

        def read_row(row: SourceRow, _: int, place: str, split: SplitName = split) -> ScoredImage:
            image, rank = locator.locate(row["image_path"], place), required_integer(row, "rank", 1, MAX_RANK)
            name, prompt = required_text(row, "prompt_id"), required_text(row, "prompt")
            extra = {"prompt_id": name, "classification": row["classification"]}
            path = str(row["image_path"])
            return ScoredImage(name, path, image, -rank, place, prompt, text_group(prompt), split, extra)

        split_images, split_problems = read_records(table, COLUMNS, read_row)
        images += split_images
        problems += split_problems + missing
    return images, problems, tuple(tables.values())


def _images_of_rankings_file(source: Path, locator: ImageLocator) -> _RankedImages:
    rankings = rankings_file(source)
    if rankings is None:
        raise DataError(f"{source}: has neither metadata-SPLIT.parquet nor the rankings test.json")
    images, problems = read_rankings(rankings, locator)
    return images, problems, (rankings,)


def rankings_file(source: Path) -> Path | None:
    """Return the rankings file of the source, test.json; None without such a file."""
    return next(iter(matching_files(source, "test.json")), None)
