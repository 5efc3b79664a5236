"""HPD v2: rankings of the images of a prompt by about ten people (Wu et al. 2023).

Download: `test.json` with `prompt, image_path, rank` and `raw_annotations` (`user_hash`, and the ranks of one person as
`rank` or `annotation`), `train.json` with `prompt, file_path, human_preference`, and the images, unpacked into `test/`
and `train/`. Any of the two files is enough. The lowest rank is the best; `rank` is made of all people's ranks. Every
two images of a prompt are a pair, and every person who ranked them has a vote.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from blpo.data.labels import as_text
from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, SourceProblem
from blpo.data.public.ranked_pairs import PairRule, ScoredImage, pairs_of, ranked_paths, required_rank
from blpo.data.public.source_files import matching_files, zip_archives
from blpo.data.public.source_rows import SourceRow, read_json_table, read_records, required_text, text_group
from state.errors import DataError
from state.sample import ImageSource, SplitName

_RATERS = "raw_annotations"
_RANKS_OF_A_RATER = ("rank", "annotation")
"""Names of the list of ranks: in the description of the set, and in a version of the file."""


def load_hpdv2(source: Path, options: Options) -> PublicSet:
    """Load all pairs of images of a prompt, with the votes of all raters."""
    inapplicable = {"--criterion": options.criterion, "--scale": options.scale, "--form": options.form}
    refuse_options({**inapplicable, "--subset": options.subsets}, "HPD v2")
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)
    images: list[ScoredImage] = []
    problems: list[SourceProblem] = []
    files: list[Path] = []
    for split, reader in (("train", _read_train), ("test", _read_test)):
        for file in matching_files(source, f"{split}.json"):
            split_images, split_problems = reader(file, locator)
            images += split_images
            problems += split_problems
            files.append(file)
    if not files:
        raise DataError(f"{source}: has no test.json or train.json")
    description = pair_description("HPD v2", options, is_test_set=False)
    records, notes = pair_records(pairs_of(images, PairRule()), options)
    return PublicSet(description, records, tuple(problems), (*files, *zips), notes)


_Images = tuple[list[ScoredImage], list[SourceProblem]]


def _read_test(file: Path, locator: ImageLocator) -> _Images:
    table = read_json_table(file)
    optional = [_RATERS] if _RATERS in table.columns else []

    def read_row(row: SourceRow, index: int, place: str) -> list[ScoredImage]:
        paths, ranks = ranked_paths(row, "image_path", "rank", 0)
        ratings = dict(_ratings(row.get(_RATERS), len(paths)))
        scores = [float(-rank) for rank in ranks]
        return _images(f"test-{index + 1:05}", "test", row, paths, scores, ratings, locator, place)

    return _flat(read_records(table, ["prompt", "image_path", "rank", *optional], read_row))


def _read_train(file: Path, locator: ImageLocator) -> _Images:
    def read_row(row: SourceRow, index: int, place: str) -> list[ScoredImage]:
        paths, preferences = row["file_path"], row["human_preference"]
        if not isinstance(paths, list) or not isinstance(preferences, list) or len(paths) != len(preferences):
            raise ValueError("file_path and human_preference are not two lists of one length")
        scores = [float(required_rank(value, "human_preference", 0)) for value in preferences]
        return _images(f"train-{index + 1:06}", "train", row, paths, scores, {}, locator, place)

    return _flat(read_records(read_json_table(file), ["prompt", "file_path", "human_preference"], read_row))


def _images(
    name: str,
    split: SplitName,
    row: SourceRow,
    paths: list[object],
    scores: list[float],
    ratings: Mapping[str, list[float]],
    locator: ImageLocator,
    place: str,
) -> list[ScoredImage]:
    prompt = required_text(row, "prompt")
    return [
        ScoredImage(
            name,
            str(path),
            _located(locator, split, path, place),
            score,
            place,
            prompt,
            text_group(prompt),
            split,
            {"prompt_id": name},
            ratings={rater: scores_of[number] for rater, scores_of in ratings.items()},
        )
        for number, (path, score) in enumerate(zip(paths, scores, strict=True))
    ]


def _located(locator: ImageLocator, split: SplitName, path: object, place: str) -> ImageSource:
    """Return an image of the split's folder. Some paths begin with the folder."""
    inner = path if not isinstance(path, str) or path.startswith(f"{split}/") else f"{split}/{path}"
    return locator.locate(inner, place)


def _ratings(annotations: object, images: int) -> Iterator[tuple[str, list[float]]]:
    """Yield every rater with the scores of all images. Raises `ValueError` for another form."""
    if annotations is None:
        return
    if not isinstance(annotations, list):
        raise ValueError(f"{_RATERS} is no list")
    for annotation in annotations:
        rater = as_text(annotation.get("user_hash")) if isinstance(annotation, dict) else None
        ranks = next((annotation[name] for name in _RANKS_OF_A_RATER if name in annotation), None) if rater else None
        if rater is None or not isinstance(ranks, list) or len(ranks) != images:
            raise ValueError(f"{_RATERS} {display_text(annotation)} has no user_hash, or not a rank for each image")
        yield rater, [float(-required_rank(rank, _RATERS, 0)) for rank in ranks]


def _flat(rows: tuple[list[list[ScoredImage]], list[SourceProblem]]) -> _Images:
    return [image for images in rows[0] for image in images], rows[1]
