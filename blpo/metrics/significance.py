"""Is one prompt better than another on the same samples? A paired permutation test and a bootstrap interval."""

import math
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import numpy as np
from scipy.stats import binom, binomtest

from blpo.metrics.confusion import Floats
from blpo.metrics.kinds import Integers, Kinds, distinct
from state.sample import Label
from state.settings import Metric, TaskSettings
from state.verdict import Verdict

PERMUTATIONS = 10_000
"""Random permutations; where there are no more different outcomes than this, each is weighed exactly instead."""
RESAMPLES = 10_000
"""Bootstrap resamples."""

_NUMBERS_AT_ONCE = 2_000_000
_ROUNDING = 1e-12


def compare(
    initial: Sequence[Verdict],
    best: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    metric: Metric,
    seed: int,
) -> tuple[float, tuple[float, float]]:
    """Return the p-value and the 95 % interval (low, high) of metric(best) - metric(initial).

    The sequences run over the same samples in the same order; only samples answered under both prompts count. The
    p-value, in (0, 1], is two-sided, of the hypothesis that each sample's two answers are exchangeable; for accuracy
    the test is McNemar's exact one. The interval is a percentile bootstrap over samples. Identical answers, or no
    sample answered under both, give 1.0 and (0.0, 0.0). Same input and seed, same result.
    """
    answered = [
        (label, old.label, new.label)
        for old, new, label in zip(initial, best, labels, strict=True)
        if label is not None and old.label is not None and new.label is not None
    ]
    if all(old == new for _, old, new in answered):
        return 1.0, (0.0, 0.0)
    kinds = Kinds.of(answered, task)
    p_value = _mcnemar_test(kinds) if metric == "accuracy" else _permutation_test(kinds, metric, seed)
    return min(1.0, max(p_value, float(np.finfo(float).tiny))), _bootstrap_interval(kinds, metric, seed)


def _mcnemar_test(kinds: Kinds) -> float:
    was_right, is_right = kinds.old == kinds.human, kinds.new == kinds.human
    gained, lost = (int(kinds.counts[which].sum()) for which in (~was_right & is_right, was_right & ~is_right))
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _permutation_test(kinds: Kinds, metric: Metric, seed: int) -> float:
    """The share of outcomes at least as far from 0 as the observed one, which is among them.

    Swapping each sample's answers with probability 1/2 gives the lower of two answers to the first prompt in a
    binomial number of the samples with that disagreement, so outcomes are drawn, or enumerated, as such numbers.
    """
    sizes, observed, difference = _disagreements(kinds, metric)
    least = abs(difference(observed[None])[0]) - _ROUNDING
    if math.prod(size + 1 for size in sizes.tolist()) <= PERMUTATIONS:
        outcomes = np.indices(tuple(size + 1 for size in sizes.tolist())).reshape(len(sizes), -1).T
        weights = np.asarray(binom.pmf(outcomes, sizes, 0.5)).prod(axis=1)
        return float(weights[np.abs(difference(outcomes)) >= least].sum())
    generator = generator_of(seed, "permutation")
    batches = (generator.binomial(sizes, 0.5, (rows, len(sizes))) for rows in _batches(PERMUTATIONS, kinds))
    extreme = sum(int((np.abs(difference(batch)) >= least).sum()) for batch in batches)
    return (1 + extreme) / (1 + PERMUTATIONS)


def _disagreements(kinds: Kinds, metric: Metric) -> tuple[Integers, Integers, Callable[[Integers], Floats]]:
    """Samples of each kind of disagreement, in how many the first prompt gave the lower answer, and metric differences.

    The function maps such numbers, shape (outcomes, disagreements), to metric(second) - metric(first), (outcomes,).
    """
    differ = kinds.old != kinds.new
    human, old, new, counts = (part[differ] for part in (kinds.human, kinds.old, kinds.new, kinds.counts))
    sides = np.stack([human, np.minimum(old, new), np.maximum(old, new)], axis=1)
    (human, low, high), sizes = distinct(sides, counts)
    _, observed = distinct(sides, np.where(old < new, counts, 0))
    lower, higher = kinds.cells(human, low), kinds.cells(human, high)
    agreed = kinds.counts[~differ] @ kinds.cells(kinds.human[~differ], kinds.old[~differ])

    def difference(first_lower: Integers) -> Floats:
        first_higher = sizes - first_lower
        first = agreed + first_lower @ lower + first_higher @ higher
        second = agreed + first_lower @ higher + first_higher @ lower
        return kinds.difference(first, second, metric)

    return sizes, observed, difference


def _bootstrap_interval(kinds: Kinds, metric: Metric, seed: int) -> tuple[float, float]:
    """Percentile interval; a resample of the samples is a multinomial draw of their kinds."""
    generator = generator_of(seed, "bootstrap")
    old, new = kinds.cells(kinds.human, kinds.old), kinds.cells(kinds.human, kinds.new)
    total = int(kinds.counts.sum())
    draws = (generator.multinomial(total, kinds.counts / total, rows) for rows in _batches(RESAMPLES, kinds))
    differences = np.concatenate([kinds.difference(draw @ old, draw @ new, metric) for draw in draws])
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def _batches(total: int, kinds: Kinds) -> Iterator[int]:
    """Sizes that sum to `total`, each small enough to keep its confusion matrices in memory."""
    most = max(1, _NUMBERS_AT_ONCE // max(len(kinds.scale) ** 2, len(kinds.counts)))
    for start in range(0, total, most):
        yield min(most, total - start)


def generator_of(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers for a purpose, the same for the same seed."""
    return np.random.default_rng(int.from_bytes(sha256(f"{seed}/{purpose}".encode()).digest()))
