"""Frequencies of answer patterns. A pattern is the answers to a group of samples under two prompts.

Most groups are single samples. A metric that selects prompts depends on the groups only through these frequencies.
Resampling can therefore draw frequencies instead of groups: the distribution is the same, the drawing is far faster,
and the order of the samples plays no part.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from blpo.metrics.confusion import Floats
from blpo.metrics.label_codes import Codes

Integers = NDArray[np.int64]

_NO_SAMPLE = -1
"""Filler in the rows of groups smaller than the largest group."""


@dataclass(frozen=True, slots=True)
class AnswerPatterns:
    """The patterns that occur, in a fixed order.

    A cell is a place in a flattened confusion matrix: code of the human label times the number of labels, plus code of
    the answer.
    """

    old: Integers
    """Sorted cells of a group under the first prompt, shape (patterns, samples of the largest group)."""
    new: Integers
    """The same under the second prompt."""
    counts: Integers
    """Groups of a pattern, at least 1."""
    labels: Codes

    @classmethod
    def of(
        cls, answers: Sequence[tuple[Hashable, Hashable, Hashable]], groups: Sequence[object], labels: Codes
    ) -> "AnswerPatterns":
        """Count at least one (human, old, new) triple of labels. `groups` has the group of every triple."""
        human, old, new = np.array([[labels.codes[label] for label in triple] for triple in answers]).T
        members = _members(groups)
        rows = [_sorted_cells(human * len(labels) + codes, members) for codes in (old, new)]
        unique, counts = unique_rows(np.concatenate(rows, axis=1))
        old_cells, new_cells = np.split(unique, 2, axis=1)
        return cls(old_cells, new_cells, counts, labels)

    @property
    def are_of_samples(self) -> bool:
        """True if every group is a single sample."""
        return len(self.old[0]) == 1

    def matrices(self, cells: Integers) -> csr_array:
        """Return the flattened confusion matrix of every row of cells: shape (rows, labels squared)."""
        rows, places = np.nonzero(cells != _NO_SAMPLE)
        return csr_array((np.ones(len(rows)), (rows, cells[rows, places])), shape=(len(cells), len(self.labels) ** 2))

    def right(self, cells: Integers) -> NDArray[np.bool_]:
        """Return True for every cell on the diagonal of the confusion matrix."""
        labels = len(self.labels)
        return np.asarray(cells // labels == cells % labels)

    def values(self, rows: Floats, metric: str) -> Floats:
        """Return the metric of every row. A row is a flattened confusion matrix."""
        labels = len(self.labels)
        return self.labels.values(rows.reshape(-1, labels, labels), metric)

    def value_or_nan(self, metric: str) -> float:
        """Return the metric of all groups under the second prompt; NaN if undefined."""
        labels = len(self.labels)
        table = (self.counts @ self.matrices(self.new)).reshape(labels, labels)
        return float(self.labels.values_or_nan(table, metric))

    def difference(self, old: Floats, new: Floats, metric: str) -> Floats:
        """Return metric(new) - metric(old) for every row. A row is a flattened confusion matrix."""
        return self.values(new, metric) - self.values(old, metric)


def unique_rows(rows: Integers, weights: Integers | None = None) -> tuple[Integers, Integers]:
    """Return the sorted unique rows and the sum of their weights (1 by default)."""
    unique, places = np.unique(rows, axis=0, return_inverse=True)
    return unique, np.bincount(places, weights).astype(np.int64)


def _members(groups: Sequence[object]) -> list[list[int]]:
    """Return the places of the samples of every group."""
    members: dict[object, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    return list(members.values())


def _sorted_cells(cells: Integers, members: Sequence[Sequence[int]]) -> Integers:
    """Return a row of sorted cells for every group."""
    rows = np.full((len(members), max(map(len, members))), _NO_SAMPLE)
    for row, places in zip(rows, members, strict=True):
        row[: len(places)] = np.sort(cells[list(places)])
    return rows
