"""Pick-a-Pic: choices between two images for a user's own prompt (Kirstain et al. 2023).

Download: parquet shards of a split (`train`, `validation`, `test`, `validation_unique`, `test_unique`) with `caption,
jpg_0, jpg_1, label_0, has_label, image_0_uid, image_1_uid, ranking_id, model_0, model_1`, images as bytes, in
the folder or in `data/`. Some shards are enough. `label_0` is 1 if the user chose the first image, 0 for the second,
and 0.5 for a tie. Rows without a label and pairs of equal images are left out. The unique splits have one pair of a
prompt.
"""

from collections import Counter
from functools import partial
from pathlib import Path

from blpo.data.labels import as_number
from blpo.data.message_text import display_text
from blpo.data.public.hub_files import CellImages, RowImages, parquet_files, read_files, require_subset, split_name
from blpo.data.public.image_pairs import Preference, SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, SourceProblem
from blpo.data.public.source_rows import SourceRow, required_text, text_group
from state.errors import DataError
from state.sample import SplitName

_SPLITS: dict[str, SplitName] = {
    "train": "train",
    "validation": "validation",
    "test": "test",
    "validation_unique": "validation",
    "test_unique": "test",
}
_COLUMNS = ("caption", "label_0", "has_label", "image_0_uid", "image_1_uid", "ranking_id", "model_0", "model_1")
_IMAGES = ("jpg_0", "jpg_1")
_PREFERENCES: dict[float, Preference] = {1.0: 0, 0.0: 1, 0.5: None}


def load_pickapic(source: Path, options: Options) -> PublicSet:
    """Load the pairs of all splits in the folder, or of the split `--subset`."""
    inapplicable = {"--form": options.form, "--criterion": options.criterion, "--scale": options.scale}
    refuse_options(inapplicable, "Pick-a-Pic")
    files = _files(source, options)
    cells = CellImages(_IMAGES)
    pairs: list[SourcePair] = []
    problems: list[SourceProblem] = []
    left_out: Counter[str] = Counter()
    for file in files:
        read_row = partial(_pair, _SPLITS[split_name(file)], left_out)
        file_pairs, file_problems = read_files([file], _COLUMNS, cells, read_row)
        pairs += file_pairs
        problems += file_problems
    records, notes = pair_records(pairs, options)
    notes = (*notes, *(f"left out: {count} rows: {reason}" for reason, count in left_out.items()))
    description = pair_description("Pick-a-Pic", options, is_test_set=False)
    return PublicSet(description, records, tuple(problems), tuple(files), notes)


def _files(source: Path, options: Options) -> list[Path]:
    """Return the files to read. The unique splits repeat pairs of the other splits, so each is read only by name."""
    files = {file: split_name(file) for file in parquet_files(source)}
    present = [split for split in _SPLITS if split in files.values()]
    if not present:
        raise DataError(f"{source}: has no parquet file of {', '.join(_SPLITS)}, nor has its data/")
    if options.subsets:
        chosen = {require_subset([name], present, present[0]) for name in options.subsets}
    else:
        chosen = {split for split in present if split.removesuffix("_unique") not in present or split.isalpha()}
    return [file for file, split in files.items() if split in chosen]


def _pair(
    split: SplitName, left_out: Counter[str], row: SourceRow, name: str, place: str, image: RowImages
) -> SourcePair | None:
    """Return the pair of a row; None for a row that is left out. Raises `ValueError` for a faulty row."""
    if not row["has_label"]:
        left_out["no label"] += 1
        return None
    if row["image_0_uid"] == row["image_1_uid"]:
        left_out["both images are the same"] += 1
        return None
    number = as_number(row["label_0"])
    if number not in _PREFERENCES:
        raise ValueError(f"label_0 {display_text(row['label_0'])} is not 1, 0 or 0.5")
    caption = required_text(row, "caption")
    return SourcePair(
        name,
        place,
        _PREFERENCES[number],
        tuple(map(image, _IMAGES)),
        text=caption,
        group=text_group(caption),
        sided={"model": (row["model_0"], row["model_1"]), "uid": (row["image_0_uid"], row["image_1_uid"])},
        extra={"ranking_id": row["ranking_id"]},
        shipped=split,
    )
