"""Metrics of ratings against means of raters: numbers with fractions, which no confusion matrix holds.

All functions work on many rows at once, so that resampling is a few array operations. A row is a resample: weights of
the samples, or answers of a permutation.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blpo.metrics.confusion import Floats
from blpo.metrics.resampling import batch_sizes, expanded_tail, generator_of

MEAN_METRICS = ("pearson", "spearman")
"""Metrics against the means that may select prompts; higher is better. `mae` is a metric against the means too."""
MEAN = "mean"
"""Metric that is a mean over samples, in place of a correlation."""
_DRAWS = 10_000
_WIDEST = 2.0
"""Largest difference of two correlations."""
_EXACT_GROUPS = 13
"""Up to this number of groups with different answers, all swaps are enumerated."""


def correlations(answers: Floats, means: Floats, weights: Floats, metric: str) -> Floats:
    """Return `pearson` or `spearman` of every row; NaN if undefined (constant answers or means).

    `answers` has shape (n,) or (rows, n), `means` (n,), `weights` (rows, n). A sample with the weight 2 counts twice.
    `MEAN` is the mean of `answers` alone: `answers` are values of samples, and `means` doesn't count.
    """
    if metric == "spearman":
        means, answers = _ranks(means, weights), _ranks(answers, weights)
    total = np.maximum(weights.sum(-1, keepdims=True), 1e-12)
    if metric == MEAN:
        return np.asarray((answers * weights).sum(-1) / total[:, 0])
    x, y = (values - (values * weights).sum(-1, keepdims=True) / total for values in (answers, means))
    covariance = (x * y * weights).sum(-1)
    spread = np.sqrt((x**2 * weights).sum(-1) * (y**2 * weights).sum(-1))
    return np.asarray(np.divide(covariance, spread, out=np.full(len(weights), np.nan), where=spread > 1e-12))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Return ranks from 1 by row, shape (rows, n). Tied values share the mean of their ranks."""
    if values.ndim == 1:
        unique, places = np.unique(values, return_inverse=True)
        order = np.argsort(places, kind="stable")
        starts = np.searchsorted(places[order], np.arange(len(unique)))
        sizes = np.add.reduceat(weights[:, order], starts, axis=1)
        return np.asarray((np.cumsum(sizes, axis=1) - (sizes - 1) / 2)[:, places])
    ranks = np.zeros(values.shape)
    below = np.zeros((len(values), 1))
    for value in np.unique(values):  # answers are few different ratings
        has_value = values == value
        size = (has_value * weights).sum(-1, keepdims=True)
        ranks += has_value * (below + (size + 1) / 2)
        below = below + size
    return ranks


def compare_with_means(
    rows: Sequence[tuple[float, float, float, str | int]],
    metric: str,
    seed: int,
) -> tuple[float, tuple[float, float]]:
    """Return p-value and 95 % interval of metric(new) - metric(old), as `blpo.metrics.significance.compare_prompts`.

    A row is a sample: old answer, new answer, mean of raters, and the group of the sample. The test swaps whole groups,
    the bootstrap draws whole groups. An undefined correlation counts as 0.0.
    """
    first, second, means, members = _arrays(rows)
    p_value = _permutation_test(first, second, means, members, metric, seed)
    return p_value, intervals_with_means(rows, metric, seed)[1]


def intervals_with_means(
    rows: Sequence[tuple[float, float, float, str | int]],
    metric: str,
    seed: int,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the 95 % intervals of metric(new) and of metric(new) - metric(old)."""
    first, second, means, members = _arrays(rows)
    groups = int(members.max()) + 1
    if groups == 1:
        return (-_WIDEST / 2, _WIDEST / 2), (-_WIDEST, _WIDEST)
    generator = generator_of(seed, "bootstrap")
    own, differences = [], []
    for size in batch_sizes(_DRAWS, len(means)):
        weights = generator.multinomial(groups, np.full(groups, 1 / groups), size)[:, members].astype(np.float64)
        old, new = (np.nan_to_num(correlations(side, means, weights, metric)) for side in (first, second))
        own.append(new)
        differences.append(new - old)
    tail = expanded_tail(groups)
    ends = [tail, 1 - tail]
    low, high = np.quantile(np.concatenate(own), ends)
    lowest, highest = np.quantile(np.concatenate(differences), ends)
    return (float(low), float(high)), (float(lowest), float(highest))


def _arrays(rows: Sequence[tuple[float, float, float, str | int]]) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Return old answers, new answers, means, and the number of the group of every sample."""
    first, second, means = np.array([row[:3] for row in rows], dtype=np.float64).T
    codes = {unit: code for code, unit in enumerate(dict.fromkeys(row[3] for row in rows))}
    return first, second, means, np.array([codes[row[3]] for row in rows])


def _permutation_test(
    first: Floats,
    second: Floats,
    means: Floats,
    members: NDArray[np.int64],
    metric: str,
    seed: int,
) -> float:
    generator = generator_of(seed, "permutation")
    differing = np.unique(members[first != second])
    ones = np.ones((1, len(means)))
    least = abs(_difference(first, second, means, ones, metric)[0]) - 1e-12
    exact = len(differing) <= _EXACT_GROUPS
    total = 2 ** len(differing) if exact else _DRAWS
    extreme, start = 0, 0
    for rows in batch_sizes(total, len(means)):
        swaps = np.zeros((rows, int(members.max()) + 1), dtype=bool)
        if exact:
            codes = np.arange(start, start + rows)[:, None]
            swaps[:, differing] = (codes >> np.arange(len(differing))) & 1
        else:
            swaps[:, differing] = generator.random((rows, len(differing))) < 0.5
        swapped = swaps[:, members]
        sides = np.where(swapped, second, first), np.where(swapped, first, second)
        outcomes = _difference(*sides, means, np.ones((rows, len(means))), metric)
        extreme += int((np.abs(outcomes) >= least).sum())
        start += rows
    return extreme / total if exact else (1 + extreme) / (1 + total)


def _difference(first: Floats, second: Floats, means: Floats, weights: Floats, metric: str) -> Floats:
    old, new = (np.nan_to_num(correlations(side, means, weights, metric)) for side in (first, second))
    return np.asarray(new - old)


def mean_values(
    answers: Sequence[float | None], counted: Sequence[float], means: Sequence[float], width: float
) -> dict[str, float]:
    """Return `mae`, `pearson` and `spearman` against the means; NaN for an undefined value.

    `answers` are the verdicts, None for a failure. A failure counts `width` for MAE; for the correlations it counts as
    the rating in `counted`.
    """
    if not means:
        return dict.fromkeys(("mae", *MEAN_METRICS), math.nan)
    steps = [width if answer is None else abs(answer - mean) for answer, mean in zip(answers, means, strict=True)]
    arrays = np.array(counted, dtype=np.float64), np.array(means, dtype=np.float64), np.ones((1, len(means)))
    return {"mae": float(np.mean(steps))} | {name: float(correlations(*arrays, name)[0]) for name in MEAN_METRICS}
