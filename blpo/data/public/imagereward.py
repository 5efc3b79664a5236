"""ImageRewardDB: images from one prompt, rated and ranked by people (Xu et al. 2023).

As downloaded: `metadata-{train,validation,test}.parquet` with `image_path, prompt_id, prompt, classification,
image_amount_in_total, rank, overall_rating, image_text_alignment_rating, fidelity_rating`, and the archives
`images/SPLIT/SPLIT_N.zip` of webp files, unpacked or not; what of it is there is read. Ratings go from 1 to 7, and some
rows lie outside. The rankings file `test.json` (`id, prompt, generations, ranking`) gives pairs alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from blpo.data.public.image_parts import rows_there
from blpo.data.public.image_places import ImagePlaces
from blpo.data.public.options import Options, chosen, refuse
from blpo.data.public.pairs import pair_form
from blpo.data.public.ranked_pairs import MOST_RANKS, Ranked, pairs_of, read_rankings
from blpo.data.public.reading import Row, read_records, text_group, wanted_integer, wanted_text
from blpo.data.public.record import Form, Loaded, Problem, Record
from blpo.data.public.source_files import archives, files
from state.errors import DataError
from state.sample import SplitName
from state.settings import TaskSettings

CRITERIA = {
    "overall": ("overall_rating", "how good it is overall as an image for the text"),
    "alignment": ("image_text_alignment_rating", "how well it shows what the text says"),
    "fidelity": ("fidelity_rating", "how true to life and free of errors what it shows is"),
}
"""Column of the rating, and what was rated."""

COLUMNS = ("image_path", "prompt_id", "prompt", "classification", "rank", *(column for column, _ in CRITERIA.values()))
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
LOWEST, HIGHEST = 1, 7
SMALLEST_SCALE = tuple(f"train_{n}" for n in range(1, 5))
"""Archives of the authors' 1k scale, whose train rows are those of MT-RL-Judge."""


def load_imagereward(source: Path, options: Options) -> Loaded:
    """Load ratings of images, or pairs of images of one prompt whose ranks differ."""
    refuse({"--scale": options.scale, "--subset": options.subsets}, "ImageRewardDB")
    form = chosen("--form", options.form, ("ratings", "pairs"), "ImageRewardDB")
    tables = {split: file for split in SPLITS for file in files(source, f"metadata-{split}.parquet")}
    zips = [*archives(source), *sorted(source.glob("images/*/*.zip"))]
    places = ImagePlaces(source, zips)
    if form == "pairs":
        refuse({"--criterion": options.criterion}, "ImageRewardDB's pairs")
        pairs = _pairs(tables, source, places, options.seed)
        return replace(pairs, files=(*pairs.files, *zips))
    if not tables:
        hint = "; test.json holds rankings alone, which --form pairs reads" if _rankings(source) else ""
        raise DataError(f"{source}: has no metadata-train.parquet, metadata-validation.parquet or -test.parquet{hint}")
    ratings = _ratings(tables, source, places, options)
    return replace(ratings, files=(*ratings.files, *zips))


def _ratings(tables: Mapping[SplitName, Path], source: Path, places: ImagePlaces, options: Options) -> Loaded:
    criterion = chosen("--criterion", options.criterion, tuple(CRITERIA), "ImageRewardDB")
    column, asked = CRITERIA[criterion]
    records: list[Record] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for split, file in tables.items():
        scale = SMALLEST_SCALE if options.sample == "mt-rl-judge" and split == "train" else None
        table, missing, outside = rows_there(file, source, COLUMNS, scale)

        def read(row: Row, _: int, place: str, split: SplitName = split) -> Record:
            label, path = wanted_integer(row, column, LOWEST, HIGHEST), wanted_text(row, "image_path")
            prompt = wanted_text(row, "prompt")
            extra = {name: row[name] for name in COLUMNS if name not in ("image_path", "prompt")}
            images, name = (places.find(path, place),), PurePosixPath(path).stem
            return Record(name, images, label, place, str(label), prompt, text_group(prompt), split, extra)

        found, bad = read_records(table, COLUMNS, read)
        records, problems, notes = records + found, problems + bad + missing, notes + outside
    return Loaded(_rating_form(criterion, asked), tuple(records), tuple(problems), tuple(tables.values()), tuple(notes))


def _rating_form(criterion: str, asked: str) -> Form:
    return Form(
        f"ImageRewardDB {criterion}",
        TaskSettings(min=LOWEST, max=HIGHEST),
        f"Look at the image, which was made from the text. Rate {asked}, from 1 (lowest) to 7 (highest).",
        {str(rating): 20 for rating in range(LOWEST, HIGHEST + 1)},
        {"train": 6194, "validation": 2584, "test": 2720},
    )


def _pairs(tables: Mapping[SplitName, Path], source: Path, places: ImagePlaces, seed: int) -> Loaded:
    form = pair_form("ImageRewardDB pairs", {"a": 70, "b": 70})
    ranked: list[Ranked] = []
    problems: list[Problem] = []
    for split, file in tables.items():
        table, missing, _ = rows_there(file, source, COLUMNS, None)

        def read(row: Row, _: int, place: str, split: SplitName = split) -> Ranked:
            image, rank = places.find(row["image_path"], place), wanted_integer(row, "rank", 1, MOST_RANKS)
            extra = {"classification": row["classification"]}
            name, prompt = wanted_text(row, "prompt_id"), wanted_text(row, "prompt")
            return Ranked(name, str(row["image_path"]), image, rank, place, prompt, split, extra)

        found, bad = read_records(table, COLUMNS, read)
        ranked, problems = ranked + found, problems + bad + missing
    read_files = tuple(tables.values())
    if not tables:
        rankings = _rankings(source)
        if rankings is None:
            raise DataError(f"{source}: has neither metadata-SPLIT.parquet nor the rankings test.json")
        ranked, problems = read_rankings(rankings, places)
        read_files = (rankings,)
    return Loaded(form, pairs_of(ranked, seed), tuple(problems), read_files, ("tied images make no pair",))


def _rankings(source: Path) -> Path | None:
    return next(iter(files(source, "test.json")), None)
