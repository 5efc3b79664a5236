"""A dataset: labelled samples in three splits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType

from blpo.data.corrections import corrected
from blpo.data.rows import Row, read_rows
from blpo.data.sources import stamp
from blpo.data.splits import assign_splits, draw_by_label
from blpo.data.tables import open_table
from state.errors import DataError
from state.sample import Sample, SplitName
from state.settings import DataSettings, SplitColumn, TaskSettings

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

MAX_PROBLEMS = 100
"""How many problems a `DataError` carries; the rest are counted."""


@dataclass(frozen=True)
class Dataset:
    """Samples by split, in the order of their table; every split has some."""

    splits: Mapping[SplitName, tuple[Sample, ...]]

    @cached_property
    def by_id(self) -> Mapping[str, Sample]:
        """All samples by id."""
        return MappingProxyType({sample.id: sample for name in SPLITS for sample in self.splits[name]})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all splits' ids, labels, texts, groups and images, the same on every machine.

        An image file counts by its size and both ends, a table's image cells by those of the table's file, so that
        large datasets are not read. Raises `DataError` where an image has gone.
        """
        digest = sha256()
        for name in SPLITS:
            for sample in self.splits[name]:
                fields = (name, sample.id, sample.label, sample.text, sample.group, *map(stamp, sample.images))
                digest.update(json.dumps(fields).encode() + b"\n")
        return digest.hexdigest()


def load_dataset(data: DataSettings, task: TaskSettings, seed: int) -> Dataset:
    """Read the labels, and draw `limit` and the splits from the seed; images are located but not read.

    Relative paths count from the current directory. Raises `DataError` with all problems found (the first
    `MAX_PROBLEMS` and a count of the rest): rows that can't be used, an empty split, one class only.
    """
    rows, problems = read_samples(data, task)
    if problems:
        raise DataError(_summary(problems), _bounded(problems))
    return divide(rows, data, task, seed)


def read_samples(data: DataSettings, task: TaskSettings) -> tuple[list[Row], list[str]]:
    """Return the usable rows, and one line for each problem; raises `DataError` where there is no such table."""
    if data.path is None:
        from blpo.data.sample import sample_rows

        return list(sample_rows(data)), []
    table = open_table(data.path)
    rows, problems = read_rows(table, data, task)
    if not rows and not problems:
        problems = [f"{table.name}: has no rows"]
    return rows, problems


def divide(rows: Sequence[Row], data: DataSettings, task: TaskSettings, seed: int) -> Dataset:
    """Draw `limit` and the splits; raises `DataError` for an empty split or where all labels are the same."""
    rows = _limited(rows, data.limit, seed)
    by_split = _by_column(rows, data.split, seed) if isinstance(data.split, SplitColumn) else None
    if by_split is None:
        shares: dict[SplitName, float] = {name: getattr(data.split, name) for name in SPLITS}
        by_split = assign_splits([row.sample for row in rows], shares, seed)
    splits = {name: tuple(row.sample for row in rows if by_split[row.sample.id] == name) for name in SPLITS}
    _require_contrast("the whole set", [row.sample for row in rows])
    for name in SPLITS:
        if not splits[name]:
            raise DataError(f"the {name} split is empty ({len(rows)} samples); change data.split, or add samples")
    _require_contrast("the train split", splits["train"])
    return Dataset(corrected(MappingProxyType(splits), data.corrections, task))


def _limited(rows: Sequence[Row], limit: int | None, seed: int) -> Sequence[Row]:
    if limit is None or limit >= len(rows):
        return rows
    strata = [(row.split, row.sample.label) for row in rows]
    kept = {s.id for s in draw_by_label([row.sample for row in rows], strata, limit, seed)}
    return [row for row in rows if row.sample.id in kept]


def _by_column(rows: Sequence[Row], split: SplitColumn, seed: int) -> dict[str, SplitName]:
    given = {row.sample.id: row.split for row in rows if row.split is not None}
    if "validation" in given.values():
        return given
    train = [row.sample for row in rows if row.split == "train"]
    share = split.validation_share
    return given | assign_splits(train, {"train": 1 - share, "validation": share}, seed)


def _require_contrast(where: str, samples: Sequence[Sample]) -> None:
    labels = {sample.label for sample in samples}
    if len(labels) == 1:
        raise DataError(f"all {len(samples)} labels of {where} are {labels.pop()!r}; at least two classes are needed")


def _summary(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    return f"{len(problems)} problems, the first: {problems[0]} (blpo check lists them all)"


def _bounded(problems: Sequence[str]) -> tuple[str, ...]:
    left = len(problems) - MAX_PROBLEMS
    return (*problems[:MAX_PROBLEMS], *([f"and {left} more"] if left > 0 else []))
