"""Yes/no tasks of MT-RL-Judge (Wu et al. 2026, arXiv 2603.11665): published counts, and the search for thresholds.

The paper publishes the number of defects and of fine images in every split. The thresholds are not known. Here the
threshold of a rating is the value whose counts are nearest to the published counts.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from blpo.data.labels import as_number
from blpo.data.message_text import display_text
from blpo.data.public.public_set import Counts, Record
from blpo.data.public.source_pools import source_pools
from blpo.data.public.source_rows import SourceRow

_COUNTS = {
    "AGIN-Nat": ((2440, 2399), (285, 320), (300, 305)),
    "AGIN-Tech": ((1422, 3417), (156, 449), (158, 447)),
    "AGIN-Rat": ((1652, 3187), (183, 422), (187, 418)),
    "SeeTRUE": ((2535, 3009), (302, 391), (309, 384)),
    "UnsafeBench": ((2954, 4344), (317, 494), (777, 1260)),
    "ImageReward": ((1690, 4504), (968, 1616), (588, 2132)),
}
"""Defects and fine images in train, validation and test, by task."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Threshold of a rating. Scores up to the threshold are defects."""

    column: str
    records: tuple[Record, ...]
    """Records with yes/no labels."""
    note: str
    """Line about the threshold: if its counts are the published counts, and otherwise the difference."""


def published_counts(task: str, labels: tuple[str, str]) -> Counts:
    """Return the published counts of a task. `labels` are the words for a defect and for a fine image."""
    train, validation, test = (dict(zip(labels, counts, strict=True)) for counts in _COUNTS[task])
    return {"train": train, "validation": validation, "test": test}


def required_score(row: SourceRow, column: str) -> float:
    """Return the finite number of a cell. Raises `ValueError` for any other cell."""
    number = as_number(row[column])
    if number is None:
        raise ValueError(f"{column} {display_text(row[column])} is not a number")
    return number


def label_by_threshold(
    records: Sequence[Record], scores: Mapping[str, Sequence[float]], counts: Counts
) -> Threshold | None:
    """Cut the scores at the threshold that gives the published counts, else the nearest counts.

    `scores` has a number for every record, by column. Of equally near thresholds the first column and the lowest value
    is taken. Return None without a record.
    """
    if not records:
        return None
    pools = source_pools(records, counts)
    cuts = [
        _nearest_cut(column, [[values[i] for i in pool] for pool, _ in pools], _totals(pools, counts))
        for column, values in scores.items()
    ]
    cut = min(cuts, key=lambda cut: cut.distance)
    defect, fine = next(iter(counts.values()))
    labels = [defect if score <= cut.value else fine for score in scores[cut.column]]
    labelled = (replace(record, label=label, stratum=label) for record, label in zip(records, labels, strict=True))
    return Threshold(
        cut.column, tuple(labelled), _note(cut, list(scores), [", ".join(names) for _, names in pools], defect)
    )


class _Share(NamedTuple):
    defects: int
    rows: int


class _Cut(NamedTuple):
    column: str
    value: float
    distance: float
    """Rows with another label than in the paper, over all pools."""
    shares: list[_Share]
    published: list[_Share]


def _totals(pools: Sequence[tuple[Sequence[int], Sequence[str]]], counts: Counts) -> list[_Share]:
    """Return the published defects and rows of every pool."""
    defect = next(iter(next(iter(counts.values()))))
    parts = [[counts[name] for name in counts if name in names] for _, names in pools]
    return [_Share(sum(part[defect] for part in p), sum(sum(part.values()) for part in p)) for p in parts]


def _nearest_cut(column: str, pools: Sequence[Sequence[float]], published: list[_Share]) -> _Cut:
    values = sorted({score for pool in pools for score in pool})
    ordered = [sorted(pool) for pool in pools]

    def cut(value: float) -> _Cut:
        shares = [_Share(bisect_right(pool, value), len(pool)) for pool in ordered]
        gaps = (abs(s.defects - s.rows * p.defects / p.rows) for s, p in zip(shares, published, strict=True))
        return _Cut(column, value, sum(gaps), shares, published)

    return min(map(cut, values[:-1] or values), key=lambda cut: cut.distance)


def _note(cut: _Cut, columns: Sequence[str], names: Sequence[str], defect: str) -> str:
    rule = f"{cut.column} up to {cut.value:.12g} is {defect}"
    if cut.shares == cut.published:
        return f"{rule}: this threshold gives the counts of MT-RL-Judge"
    differences = (
        f"{name}: {share.defects} of {share.rows} rows, in the paper {published.defects} of {published.rows}"
        for name, share, published in zip(names, cut.shares, cut.published, strict=True)
    )
    return (
        f"no threshold of {' or '.join(columns)} gives the counts of MT-RL-Judge; the nearest: {rule} "
        f"({'; '.join(differences)})"
    )
