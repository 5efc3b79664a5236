"""Dataset: labelled samples in three splits."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType

from blpo.data.corrections import apply_corrections
from blpo.data.image_sources import stamp
from blpo.data.ranked_lists import with_lists
from blpo.data.rater_agreement import agreeing, left_out_sentence
from blpo.data.rows import Row, TableRows, read_rows
from blpo.data.same_images import have_several_images, join_same_images
from blpo.data.splits import assign_splits, draw_by_label
from blpo.data.tables import open_table
from state.errors import DataError
from state.sample import Sample, SplitName
from state.settings import DataSettings, SearchSettings, Settings, SplitColumn, TaskSettings

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

MAX_PROBLEMS = 100
"""Maximum number of problems in a `DataError`. Further problems are counted."""


@dataclass(frozen=True)
class Dataset:
    """Samples by split, in the order of the table. No split is empty."""

    splits: Mapping[SplitName, tuple[Sample, ...]]
    warnings: tuple[str, ...] = ()
    """Lines about data that is usable, and perhaps not as meant."""
    examples: tuple[Sample, ...] = ()
    """Samples of train that the judge is shown with their labels; in no split."""
    left_out: Mapping[SplitName, int] = field(default_factory=dict)
    """Samples that `search.agreement` leaves out, by split; empty without the setting."""
    calibration: tuple[Sample, ...] = ()
    """Samples of `data.split.calibration`, in no split: no run asks about them."""

    @cached_property
    def by_id(self) -> Mapping[str, Sample]:
        """Samples of all splits by id."""
        return MappingProxyType({sample.id: sample for name in SPLITS for sample in self.splits[name]})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, labels, texts, groups and images of all splits, the same on every machine.

        An image file enters by its stamp (size, first and last bytes), an image cell by the stamp of the table's file.
        So large datasets are not read. Raises `DataError` for an image that is gone.
        """
        digest = sha256()
        for name in SPLITS:
            for sample in self.splits[name]:
                fields = (name, sample.id, sample.label, sample.text, sample.group, *map(stamp, sample.images))
                digest.update(json.dumps((*fields, *_later_fields(sample))).encode() + b"\n")
        for sample in self.examples:
            digest.update(json.dumps(("example", sample.id, sample.label, *map(stamp, sample.images))).encode() + b"\n")
        return digest.hexdigest()


def load_dataset(data: DataSettings, task: TaskSettings, seed: int) -> Dataset:
    """Read the labels, and draw `limit` and the splits from the seed. Images are located but not read.

    Relative paths count from the current directory. Raises `DataError` with all problems (the first `MAX_PROBLEMS` and
    a count of the rest): faulty rows, an empty split, a single class.
    """
    rows = read_samples(data, task)
    if rows.problems:
        raise DataError(*summarised(rows.problems))
    dataset = divide(rows.usable, data, task, seed)
    return replace(dataset, warnings=(*rows.warnings, *dataset.warnings))


def searched(dataset: Dataset, search: SearchSettings) -> Dataset:
    """Leave out the samples whose raters disagree (`search.agreement`); raises `DataError`."""
    if search.agreement is None:
        return dataset
    splits, left_out = agreeing(dataset.splits, search.agreement)
    sentence = left_out_sentence(left_out)
    return replace(
        dataset, splits=splits, left_out=left_out, warnings=(*dataset.warnings, *([sentence] if sentence else []))
    )


def read_samples(data: DataSettings, task: TaskSettings) -> TableRows:
    """Read the rows of the table. Raises `DataError` for a table that can't be opened."""
    if data.path is None:
        from blpo.data.builtin.drawn_images import sample_rows

        return TableRows(list(sample_rows(data)), [], [])
    table = open_table(data.path)
    rows = with_lists(read_rows(table, data, task), task)
    if not rows.usable and not rows.problems:
        return replace(rows, problems=[f"{table.name}: has no rows"])
    return rows


def most_images_of(settings: Settings) -> int:
    """Return the largest number of images of a sample where settings can't tell; else 0. Raises `DataError`.

    Settings can't tell for rankings, and for cells that may hold lists of images with one label.
    """
    data, task = settings.data, settings.task
    if data.path is None or task.kind == "pairwise" or len(data.columns_of_images) > 1:
        return 0
    return max((len(row.sample.images) for row in read_samples(data, task).usable), default=0)


def divide(
    rows: Sequence[Row],
    data: DataSettings,
    task: TaskSettings,
    seed: int,
    placed: Mapping[str, SplitName] = MappingProxyType({}),
    set_aside: Set[str] = frozenset(),
) -> Dataset:
    """Draw `limit` and the splits; rows with the same images are one group. `data.split.seed` replaces `seed`.

    The groups in `placed` are in the given splits, unless the table has splits of its own, and the groups in
    `set_aside` are in the calibration. Raises `DataError` for an
    empty split and for a single class.
    """
    seed = seed if data.split.seed is None else data.split.seed
    are_pairs = task.kind in ("pairwise", "ranking")
    rows, warnings = join_same_images(limited(rows, data.limit, seed), are_pairs=are_pairs)
    calibration = _calibration(rows, data, seed, placed.keys(), set_aside)
    rows = [row for row in rows if row.sample.id not in calibration]
    by_split = _by_column(rows, data.split, seed) if isinstance(data.split, SplitColumn) else None
    if by_split is None:
        shares: dict[SplitName, float] = {name: getattr(data.split, name) for name in SPLITS}
        by_split = {row.sample.id: placed[group] for row in rows if (group := row.sample.group or "") in placed}
        by_split |= assign_splits([row.sample for row in rows if row.sample.id not in by_split], shares, seed)
    splits = {name: tuple(row.sample for row in rows if by_split[row.sample.id] == name) for name in SPLITS}
    if task.kind != "ranking":
        _require_contrast("the whole set", [row.sample for row in rows])
    for name in SPLITS:
        if not splits[name]:
            things = "pairs (or lists) that share an image or a text" if are_pairs else "samples that share an image"
            hint = f"; {things} are one group, unless data.group names groups"
            groups = hint if are_pairs or have_several_images(rows) else ""
            raise DataError(
                f"the {name} split is empty ({len(rows)} samples); change data.split, or add samples{groups}"
            )
    if task.kind != "ranking":
        _require_contrast("the train split", splits["train"])
    return Dataset(
        apply_corrections(MappingProxyType(splits), data.corrections, task),
        tuple(warnings),
        calibration=tuple(calibration.values()),
    )


def _calibration(
    rows: Sequence[Row], data: DataSettings, seed: int, placed: Set[str], set_aside: Set[str]
) -> dict[str, Sample]:
    """Draw the samples of `data.split.calibration`, by id; a group is never divided.

    Groups in `set_aside` are drawn without a draw, groups in `placed` never.
    """
    split = data.split
    samples = [row.sample for row in rows]
    chosen = {sample.id for sample in samples if sample.group in set_aside}
    if not isinstance(split, SplitColumn) and split.calibration is not None:
        free = [sample for sample in samples if sample.id not in chosen and sample.group not in placed]
        total = split.calibration + sum(getattr(split, name) for name in SPLITS)
        share = split.calibration / total
        parts = assign_splits(free, {"train": 1 - share, "test": share}, seed)
        chosen |= {name for name, part in parts.items() if part == "test"}
    return {sample.id: sample for sample in samples if sample.id in chosen}


def limited(rows: Sequence[Row], limit: int | None, seed: int) -> Sequence[Row]:
    """Return at most `limit` rows, drawn by split and label from the seed; all rows for None."""
    if limit is None or limit >= len(rows):
        return rows
    strata = [(row.split, row.sample.label) for row in rows]
    ids = {sample.id for sample in draw_by_label([row.sample for row in rows], strata, limit, seed)}
    return [row for row in rows if row.sample.id in ids]


def _by_column(rows: Sequence[Row], split: SplitColumn, seed: int) -> dict[str, SplitName]:
    splits = {row.sample.id: row.split for row in rows if row.split is not None}
    if "validation" in splits.values():
        return splits
    train = [row.sample for row in rows if row.split == "train"]
    share = split.validation_share
    return splits | assign_splits(train, {"train": 1 - share, "validation": share}, seed)


def _require_contrast(where: str, samples: Sequence[Sample]) -> None:
    labels = {sample.label for sample in samples}
    if len(labels) == 1:
        raise DataError(f"all {len(samples)} labels of {where} are {labels.pop()!r}; at least two classes are needed")


def _later_fields(sample: Sample) -> Iterator[object]:
    """Yield the fields that samples of older versions lack, as far as they hold something: old digests stay equal."""
    if sample.rating is not None:
        yield {"rating": sample.rating}
    if sample.ratings:
        yield {"ratings": [(rating.rater, rating.value) for rating in sample.ratings]}
    if sample.slices:
        yield {"slices": sample.slices}
    if sample.texts is not None:
        yield {"texts": sample.texts}
    if sample.context:
        yield {"context": [(name, stamp(source)) for name, source in sample.context]}
    if sample.reference_text is not None:
        yield {"reference_text": sample.reference_text}


def summarised(problems: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the summary of problems and the first `MAX_PROBLEMS` with a count of the rest, for a `DataError`."""
    more = len(problems) - MAX_PROBLEMS
    bounded = (*problems[:MAX_PROBLEMS], *([f"and {more} more"] if more > 0 else []))
    if len(problems) == 1:
        return problems[0], bounded
    return f"{len(problems)} problems, the first: {problems[0]} (blpo check lists the problems)", bounded
