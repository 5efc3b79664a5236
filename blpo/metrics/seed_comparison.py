"""Comparison of two methods over several seeds: a paired permutation test that swaps answers by group.

Every seed draws its own test split from one dataset, so several splits can hold the same group. The answers to the
group are then not independent. The test therefore swaps the two methods' answers to a group in all seeds or in none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blpo.metrics.confusion import Floats, metric_values
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.significance import PERMUTATIONS, ROUNDING_ERROR, generator_of
from state.sample import Label
from state.settings import Metric, TaskSettings

_ROWS = 500
"""Swaps with confusion matrices in memory at once."""


@dataclass(frozen=True, slots=True)
class PairedAnswer:
    """Answers of two methods to a sample, under one seed."""

    sample: str
    """Sample id. The same sample has the same id in all seeds."""
    human: Label
    first: Label
    second: Label
    group: str | None = None
    """None for a sample that is a group of its own."""

    @property
    def unit(self) -> tuple[str, str]:
        """Key of the group, equal for all samples of the group."""
        return ("", self.sample) if self.group is None else (self.group, "")


@dataclass(frozen=True, slots=True)
class SeedsComparison:
    """Result of a comparison of two methods."""

    difference: float
    """Mean over seeds of metric(second) - metric(first)."""
    p_value: float
    """Two-sided, in (0, 1]."""
    samples: int
    """Different samples."""


def compare_seeds(
    seeds: Sequence[Sequence[PairedAnswer]], task: TaskSettings, metric: Metric, seed: int = 0
) -> SeedsComparison:
    """Compare two methods by the mean of a metric over seeds. An inner sequence is the test split of one seed.

    Hypothesis: the two methods' answers to a group are exchangeable. If few groups differ, all swaps are counted;
    otherwise 10,000 random swaps. No difference at all gives p = 1. Same input and seed, same result. Raises
    `ValueError` for a label outside the task.
    """
    splits = [rows for rows in seeds if rows]
    ids = {row.sample for rows in splits for row in rows}
    differing = sorted({row.unit for rows in splits for row in rows if row.first != row.second})
    if not differing:
        return SeedsComparison(0.0, 1.0, len(ids))
    places = {unit: place for place, unit in enumerate(differing)}
    tables = [_SplitAnswers(rows, places, task) for rows in splits]
    outcomes = np.concatenate(
        [np.mean([table.differences(swaps, metric) for table in tables], axis=0) for swaps in _swaps(len(places), seed)]
    )
    observed = float(outcomes[0])
    extreme = int((np.abs(outcomes) >= abs(observed) - ROUNDING_ERROR).sum())
    return SeedsComparison(observed, extreme / len(outcomes), len(ids))


def _swaps(groups: int, seed: int) -> Iterator[Floats]:
    """Yield swaps as rows of 0 and 1, shape (rows, groups); the first row is zeros.

    Yield all rows if few exist. Otherwise yield 10,000 random rows after the first.
    """
    if 2**groups <= PERMUTATIONS:
        numbers = np.arange(2**groups)
        for start in range(0, len(numbers), _ROWS):
            yield ((numbers[start : start + _ROWS, None] >> np.arange(groups)) & 1).astype(np.float64)
        return
    yield np.zeros((1, groups))
    generator = generator_of(seed, "seeds")
    for start in range(0, PERMUTATIONS, _ROWS):
        yield generator.integers(0, 2, (min(_ROWS, PERMUTATIONS - start), groups)).astype(np.float64)


class _SplitAnswers:
    """Answers of one seed: two flattened confusion matrices, and the change that a swap of a group makes."""

    def __init__(self, rows: Sequence[PairedAnswer], places: Mapping[tuple[str, str], int], task: TaskSettings) -> None:
        labels = LabelCodes.of((label for row in rows for label in (row.human, row.first, row.second)), task)
        codes, self._size, self._scale = labels.codes, len(labels), labels.scale
        self._first, self._second = np.zeros(self._size**2), np.zeros(self._size**2)
        self._change = np.zeros((len(places), self._size**2))
        for row in rows:
            first, second = (codes[row.human] * self._size + codes[answer] for answer in (row.first, row.second))
            self._first[first] += 1
            self._second[second] += 1
            if row.unit in places:
                self._change[places[row.unit], second] += 1
                self._change[places[row.unit], first] -= 1

    def differences(self, swaps: Floats, metric: Metric) -> Floats:
        """Return metric(second) - metric(first) under every row of `swaps`."""
        change = swaps @ self._change
        shape = (-1, self._size, self._size)
        before, after = (self._first + change).reshape(shape), (self._second - change).reshape(shape)
        return metric_values(after, metric, self._scale) - metric_values(before, metric, self._scale)
