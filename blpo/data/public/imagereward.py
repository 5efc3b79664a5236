"""ImageRewardDB: images of a prompt, rated and ranked by people (Xu et al. 2023).

Download: `metadata-{train,validation,test}.parquet` with `image_path, prompt_id, prompt, classification,
image_amount_in_total, rank, overall_rating, image_text_alignment_rating, fidelity_rating`, and the archives
`images/SPLIT/SPLIT_N.zip` of webp files, unpacked or not. Any part of the download is read. Ratings go from 1 to 7;
some rows lie outside. The rankings file `test.json` (`id, prompt, generations, ranking`) gives pairs alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from blpo.data.dataset import SPLITS
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.imagereward_archives import COLUMNS, rows_of_archives
from blpo.data.public.imagereward_pairs import load_ranked_pairs, rankings_file
from blpo.data.public.mt_rl_judge import label_by_threshold, published_counts, required_score
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet, Record, SetDescription, SourceProblem
from blpo.data.public.source_files import matching_files, zip_archives
from blpo.data.public.source_rows import SourceRow, read_records, required_integer, required_text, text_group
from state.errors import DataError
from state.sample import Label, SplitName
from state.settings import TaskSettings

_CRITERIA = {
    "overall": ("overall_rating", "how good it is overall as an image for the text"),
    "alignment": ("image_text_alignment_rating", "how well it shows what the text says"),
    "fidelity": ("fidelity_rating", "how true to life and free of errors what it shows is"),
}
"""Column of the rating, and the question to the raters."""

_YES_NO_LABELS = ("poor", "good")
_YES_NO_QUESTIONS = {
    "overall": "whether it is a good image for the text",
    "alignment": "whether it shows well what the text says",
    "fidelity": "whether what it shows is true to life and free of errors",
}

LOWEST, HIGHEST = 1, 7
SMALLEST_SCALE = tuple(f"train_{n}" for n in range(1, 5))
"""Archives of the authors' 1k scale. Its train rows are the train rows of MT-RL-Judge."""

_Tables = Mapping[SplitName, Path]


def load_imagereward(source: Path, options: Options) -> PublicSet:
    """Load ratings of images, or pairs of a prompt's images with different ranks."""
    refuse_options({"--scale": options.scale, "--subset": options.subsets}, "ImageRewardDB")
    form = require_choice("--form", options.form, ("ratings", "pairs"), "ImageRewardDB")
    tables = {split: file for split in SPLITS for file in matching_files(source, f"metadata-{split}.parquet")}
    zips = [*zip_archives(source), *sorted(source.glob("images/*/*.zip"))]
    locator = ImageLocator(source, zips)
    if form == "pairs":
        refuse_options({"--criterion": options.criterion}, "ImageRewardDB's pairs")
        pairs = load_ranked_pairs(tables, source, locator, options)
        return replace(pairs, files=(*pairs.files, *zips))
    if not tables:
        hint = "; test.json holds rankings alone, which --form pairs reads" if rankings_file(source) else ""
        raise DataError(f"{source}: has no metadata-train.parquet, metadata-validation.parquet or -test.parquet{hint}")
    load = _yes_no if options.sample == "mt-rl-judge" else _ratings
    ratings = load(tables, source, locator, options)
    return replace(ratings, files=(*ratings.files, *zips))


def _ratings(tables: _Tables, source: Path, locator: ImageLocator, options: Options) -> PublicSet:
    criterion = require_choice("--criterion", options.criterion, tuple(_CRITERIA), "ImageRewardDB")
    column, _ = _CRITERIA[criterion]
    return _rated_images(
        tables,
        source,
        locator,
        lambda row: required_integer(row, column, LOWEST, HIGHEST),
        _description(criterion),
    )


def _yes_no(tables: _Tables, source: Path, locator: ImageLocator, options: Options) -> PublicSet:
    """Load the yes/no labels of MT-RL-Judge, by the criterion whose threshold is nearest to the published counts."""
    require_choice("--criterion", options.criterion, tuple(_CRITERIA), "ImageRewardDB")
    criteria = [options.criterion] if options.criterion else list(_CRITERIA)
    columns = [_CRITERIA[name][0] for name in criteria]

    def label_before_the_cut(row: SourceRow) -> Label:
        for column in columns:
            required_score(row, column)
        return _YES_NO_LABELS[0]

    description = _yes_no_description(criteria[0])
    loaded = _rated_images(tables, source, locator, label_before_the_cut, description, SMALLEST_SCALE)
    scores = {column: [required_score(record.extra, column) for record in loaded.records] for column in columns}
    cut = label_by_threshold(loaded.records, scores, description.counts)
    if cut is None:
        return loaded
    description = _yes_no_description(criteria[columns.index(cut.column)])
    return replace(loaded, description=description, records=cut.records, notes=(*loaded.notes, cut.note))


def _rated_images(
    tables: _Tables,
    source: Path,
    locator: ImageLocator,
    label_of: Callable[[SourceRow], Label],
    description: SetDescription,
    train_archives: Sequence[str] | None = None,
) -> PublicSet:
    records: list[Record] = []
    problems: list[SourceProblem] = []
    notes: list[str] = []
    for split, file in tables.items():
        table, missing, further = rows_of_archives(file, source, COLUMNS, train_archives if split == "train" else None)

        def read_row(row: SourceRow, _: int, place: str, split: SplitName = split) -> Record:
            label, path = label_of(row), required_text(row, "image_path")
            prompt = required_text(row, "prompt")
            extra = {name: row[name] for name in COLUMNS if name not in ("image_path", "prompt")}
            images, name = (locator.locate(path, place),), PurePosixPath(path).stem
            return Record(name, images, label, place, str(label), prompt, text_group(prompt), split, extra)

        split_records, split_problems = read_records(table, COLUMNS, read_row)
        records += split_records
        problems += split_problems + missing
        notes += further
    return PublicSet(description, tuple(records), tuple(problems), tuple(tables.values()), tuple(notes))


def _yes_no_description(criterion: str) -> SetDescription:
    question = _YES_NO_QUESTIONS[criterion]
    return SetDescription(
        f"ImageRewardDB {criterion}, yes/no",
        TaskSettings(kind="categorical", labels=_YES_NO_LABELS, positive="good"),
        f"Look at the image, which was made from the text. Decide {question}: good or poor.",
        counts=published_counts("ImageReward", _YES_NO_LABELS),
    )


def _description(criterion: str) -> SetDescription:
    _, question = _CRITERIA[criterion]
    return SetDescription(
        f"ImageRewardDB {criterion}",
        TaskSettings(min=LOWEST, max=HIGHEST),
        f"Look at the image, which was made from the text. Rate {question}, from 1 (lowest) to 7 (highest).",
        {str(rating): 20 for rating in range(LOWEST, HIGHEST + 1)},
    )
