"""Is one method better than another over several seeds? A paired permutation test that swaps by sample.

Seeds draw different test splits of one dataset, so that a sample may be judged in several of them. Its answers are not
independent then; so the two methods' answers to a sample are swapped in all seeds together, or in none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blpo.metrics.confusion import Floats, measure
from blpo.metrics.significance import PERMUTATIONS, generator_of
from state.sample import Label
from state.settings import Metric, TaskSettings

_ROUNDING = 1e-12
_ROWS = 500
"""Swaps whose confusion matrices are in memory at once."""


@dataclass(frozen=True, slots=True)
class PairedAnswer:
    """One sample in one seed, answered under both methods."""

    sample: str
    """Its id; the same sample has the same id in all seeds."""
    human: Label
    first: Label
    second: Label


@dataclass(frozen=True, slots=True)
class SeedsComparison:
    """What a comparison of two methods says."""

    difference: float
    """Mean over seeds of metric(second) - metric(first)."""
    p_value: float
    """Two-sided, in (0, 1]."""
    samples: int
    """Different samples."""


def compare_seeds(
    seeds: Sequence[Sequence[PairedAnswer]], task: TaskSettings, metric: Metric, seed: int = 0
) -> SeedsComparison:
    """Compare two methods by the mean over seeds of a metric; each inner sequence is one seed's test split.

    The hypothesis is that the two methods' answers to each sample are exchangeable. Where few samples differ, all
    swaps are counted, else 10,000 random ones. Without a difference anywhere: p = 1. Same input and seed, same result.
    """
    answered = [rows for rows in seeds if rows]
    ids = {row.sample for rows in answered for row in rows}
    differing = sorted({row.sample for rows in answered for row in rows if row.first != row.second})
    if not differing:
        return SeedsComparison(0.0, 1.0, len(ids))
    units = {sample: place for place, sample in enumerate(differing)}
    tables = [_Answers(rows, units, task) for rows in answered]
    outcomes = np.concatenate(
        [np.mean([table.differences(swaps, metric) for table in tables], axis=0) for swaps in _swaps(len(units), seed)]
    )
    observed = float(outcomes[0])
    extreme = int((np.abs(outcomes) >= abs(observed) - _ROUNDING).sum())
    return SeedsComparison(observed, extreme / len(outcomes), len(ids))


def _swaps(units: int, seed: int) -> Iterator[Floats]:
    """Which units are swapped: rows of 0 and 1, the very first of zeros; all there are, or 10,000 random ones more."""
    if 2**units <= PERMUTATIONS:
        numbers = np.arange(2**units)
        for start in range(0, len(numbers), _ROWS):
            yield ((numbers[start : start + _ROWS, None] >> np.arange(units)) & 1).astype(np.float64)
        return
    yield np.zeros((1, units))
    generator = generator_of(seed, "seeds")
    for start in range(0, PERMUTATIONS, _ROWS):
        yield generator.integers(0, 2, (min(_ROWS, PERMUTATIONS - start), units)).astype(np.float64)


class _Answers:
    """The answers of one seed as two flattened confusion matrices, and how each swap changes them."""

    def __init__(self, rows: Sequence[PairedAnswer], units: Mapping[str, int], task: TaskSettings) -> None:
        occurring = {label for row in rows for label in (row.human, row.first, row.second)}
        values = [label for label in task.values if label in occurring]
        codes = {label: code for code, label in enumerate(values)}
        self._size = len(values)
        self._scale = np.array(values if task.kind == "ordinal" else range(self._size), dtype=np.float64)
        self._first, self._second = np.zeros(self._size**2), np.zeros(self._size**2)
        self._change = np.zeros((len(units), self._size**2))
        for row in rows:
            one, other = (codes[row.human] * self._size + codes[answer] for answer in (row.first, row.second))
            self._first[one] += 1
            self._second[other] += 1
            if row.sample in units:
                self._change[units[row.sample], other] += 1
                self._change[units[row.sample], one] -= 1

    def differences(self, swaps: Floats, metric: Metric) -> Floats:
        """metric(second) - metric(first) under each row of `swaps`."""
        change = swaps @ self._change
        shape = (-1, self._size, self._size)
        before, after = (self._first + change).reshape(shape), (self._second - change).reshape(shape)
        return measure(after, metric, self._scale) - measure(before, metric, self._scale)
