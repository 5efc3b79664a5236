"""Comparison of two prompts on the same samples: a paired permutation test and a bootstrap interval.

Samples of a group, such as images of one text, are not independent: a prompt is right or wrong on them together.
Therefore the test swaps whole groups, and the bootstrap draws whole groups.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from blpo.metrics.answer_patterns import AnswerPatterns, Integers, unique_rows
from blpo.metrics.confusion import Floats
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.mean_ratings import MEAN, MEAN_METRICS, compare_with_means, intervals_with_means
from blpo.metrics.pairs import CountedAnswer, counted_answers
from blpo.metrics.rankings import list_rows
from blpo.metrics.resampling import batch_sizes, expanded_tail, generator_of, own_groups
from state.metrics_on_test import BeyondGuessing
from state.sample import Label
from state.settings import PAIR_METRICS, TaskSettings
from state.verdict import Verdict

PERMUTATIONS = 10_000
"""Random permutations. If at most as many different outcomes exist, all are enumerated with their exact weights."""
RESAMPLES = 10_000
"""Bootstrap resamples."""
FEW_SAMPLES = 50
"""A test on fewer samples is small: chance moves the metric by a lot."""
ROUNDING_ERROR = 1e-12
"""Differences of metrics nearer than this are equal."""

_WIDEST = 2.0
"""Largest difference of two metrics in [-1, 1]: a single group tells nothing about other groups."""


def compare_prompts(
    initial: Sequence[Verdict],
    best: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    metric: str,
    seed: int,
    groups: Sequence[str | None] | None = None,
    ratings: Sequence[float | None] | None = None,
) -> tuple[float, tuple[float, float]]:
    """Return the p-value and the 95 % interval (low, high) of metric(best) - metric(initial).

    The sequences list the same samples in the same order. `groups` names the group of every sample; a sample with None,
    and every sample if `groups` is None, is a group of its own. Refused and unparseable verdicts count as wrong, as in
    the strict reading; a sample with an `error` under either prompt is left out. The p-value is two-sided and in
    (0, 1]. Hypothesis: the two prompts' answers to a group are exchangeable. The answers about a pair in its orders are
    of one group. For accuracy of single samples, and consistent accuracy of single pairs, the test is McNemar's exact
    test. The interval is a percentile bootstrap over groups, wider for few groups. Identical answers, or no sample
    without an error, give 1.0 and (0.0, 0.0). With `ratings` (as in `blpo.metrics.agreement`) Pearson and Spearman
    compare with the ratings. Same input and seed, same result.
    """
    units = own_groups([None] * len(labels) if groups is None else groups)
    answers = list(counted_answers(units, initial, best, labels, task, metric))
    if all(old == new for _, (_, old, new) in answers):
        return 1.0, (0.0, 0.0)
    if task.kind == "ranking":
        return compare_with_means(list_rows(answers, metric), MEAN, seed)
    if metric in MEAN_METRICS and ratings is not None and any(rating is not None for rating in ratings):
        rows = list(_with_ratings(units, initial, best, labels, ratings, task, metric))
        return compare_with_means(rows, metric, seed)
    patterns = _patterns(answers, task)
    return compare_patterns(patterns, metric, seed)


def compare_patterns(patterns: AnswerPatterns, metric: str, seed: int) -> tuple[float, tuple[float, float]]:
    """Return p-value and 95 % interval as `compare_prompts`, of answers that differ somewhere."""
    simple = metric in ("accuracy", *PAIR_METRICS) and patterns.are_of_samples
    p_value = _mcnemar_test(patterns) if simple else _permutation_test(patterns, metric, seed)
    return min(1.0, max(p_value, float(np.finfo(float).tiny))), _bootstrap_interval(patterns, metric, seed)


def bootstrap_intervals(
    initial: Sequence[Verdict],
    best: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    metric: str,
    seed: int,
    groups: Sequence[str | None],
    ratings: Sequence[float | None],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return 95 % intervals of metric(best) and of metric(best) - metric(initial), as `compare_prompts` draws them.

    Without a sample that counts, both are (0.0, 0.0).
    """
    units = own_groups(groups)
    answers = list(counted_answers(units, initial, best, labels, task, metric))
    if not answers:
        return (0.0, 0.0), (0.0, 0.0)
    if task.kind == "ranking":
        return intervals_with_means(list_rows(answers, metric), MEAN, seed)
    if metric in MEAN_METRICS and any(rating is not None for rating in ratings):
        rows = list(_with_ratings(units, initial, best, labels, ratings, task, metric))
        return intervals_with_means(rows, metric, seed)
    patterns = _patterns(answers, task)
    return new_interval(patterns, metric, seed), _bootstrap_interval(patterns, metric, seed)


def _with_ratings(
    units: Iterable[str | int],
    initial: Sequence[Verdict],
    best: Sequence[Verdict],
    labels: Sequence[Label | None],
    ratings: Sequence[float | None],
    task: TaskSettings,
    metric: str,
) -> Iterator[tuple[float, float, float, str | int]]:
    """Yield old answer, new answer, human rating and group of every sample without an error."""
    for unit, old, new, label, rating in zip(units, initial, best, labels, ratings, strict=True):
        for group, (human, before, after) in counted_answers([unit], [old], [new], [label], task, metric):
            yield float(before), float(after), float(human) if rating is None else rating, group


def beyond_guessing(
    verdicts: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    seed: int,
    groups: Sequence[str | None] | None = None,
) -> BeyondGuessing:
    """Return kappa (quadratic for ratings) in the strict reading, with a 95 % bootstrap interval over groups.

    Guessing has a kappa of 0, whatever the shares of the labels. For rankings: the mean of Kendall's tau-b.
    """
    metric: Literal["kappa", "quadratic_kappa"] = "quadratic_kappa" if task.kind == "ordinal" else "kappa"
    units = own_groups([None] * len(labels) if groups is None else groups)
    answers = list(counted_answers(units, verdicts, verdicts, labels, task, metric))
    if not answers:
        return BeyondGuessing(metric=metric, value=None, ci95=[0.0, 0.0])
    if task.kind == "ranking":
        return _beyond_random_order(answers, seed)
    patterns = _patterns(answers, task)
    number = patterns.value_or_nan(metric)
    return BeyondGuessing(
        metric=metric,
        value=None if math.isnan(number) else number,
        ci95=list(new_interval(patterns, metric, seed)),
    )


def metric_interval(
    verdicts: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    metric: str,
    seed: int,
    groups: Sequence[str | None] | None = None,
) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval over groups of a prompt's metric, in the strict reading.

    None for less than two groups with a verdict.
    """
    units = own_groups([None] * len(labels) if groups is None else groups)
    answers = list(counted_answers(units, verdicts, verdicts, labels, task, metric))
    if len({unit for unit, _ in answers}) < 2:
        return None
    if task.kind == "ranking":
        return intervals_with_means(list_rows(answers, metric), MEAN, seed)[0]
    return new_interval(_patterns(answers, task), metric, seed)


def _beyond_random_order(answers: Sequence[CountedAnswer], seed: int) -> BeyondGuessing:
    rows = list_rows(answers, "kendall_tau_b")
    low, high = intervals_with_means(rows, MEAN, seed)[0]
    return BeyondGuessing(metric="kendall_tau_b", value=float(np.mean([row[1] for row in rows])), ci95=[low, high])


def _mcnemar_test(patterns: AnswerPatterns) -> float:
    from scipy.stats import binomtest  # takes half a second to import

    was_right, is_right = (patterns.right(cells[:, 0]) for cells in (patterns.old, patterns.new))
    gained, lost = (int(patterns.counts[mask].sum()) for mask in (~was_right & is_right, was_right & ~is_right))
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _permutation_test(patterns: AnswerPatterns, metric: str, seed: int) -> float:
    """Return the share of outcomes at least as far from 0 as the observed outcome. The observed outcome is included.

    A permutation swaps the two prompts' answers to a group with probability 1/2. Among the groups with the same
    disagreement, the number with the lower answers under the first prompt is then binomial. Outcomes are drawn, or
    enumerated, as such numbers.
    """
    from scipy.stats import binom  # takes half a second to import

    sizes, observed, difference = _disagreements(patterns, metric)
    if not len(sizes):  # in every group the same answers, about other samples of the group
        return 1.0
    least = abs(difference(observed[None])[0]) - ROUNDING_ERROR
    if math.prod(size + 1 for size in sizes.tolist()) <= PERMUTATIONS:
        outcomes = np.indices(tuple(size + 1 for size in sizes.tolist())).reshape(len(sizes), -1).T
        weights = np.asarray(binom.pmf(outcomes, sizes, 0.5)).prod(axis=1)
        return float(weights[np.abs(difference(outcomes)) >= least].sum())
    generator = generator_of(seed, "permutation")
    batches = (generator.binomial(sizes, 0.5, (rows, len(sizes))) for rows in _batches(PERMUTATIONS, patterns))
    extreme = sum(int((np.abs(difference(batch)) >= least).sum()) for batch in batches)
    return (1 + extreme) / (1 + PERMUTATIONS)


def _disagreements(patterns: AnswerPatterns, metric: str) -> tuple[Integers, Integers, Callable[[Integers], Floats]]:
    """Return sizes, lower-first counts and a difference function of the disagreements.

    A disagreement is two different rows of cells in any order. Its size counts groups; its lower-first count counts the
    groups with the lower row under the first prompt. The function maps lower-first counts, shape (outcomes,
    disagreements), to metric(second) - metric(first), shape (outcomes,).
    """
    differ = (patterns.old != patterns.new).any(axis=1)
    old, new, counts = (part[differ] for part in (patterns.old, patterns.new, patterns.counts))
    ascends = _is_lower(old, new)
    sides = np.where(ascends[:, None], np.concatenate([old, new], axis=1), np.concatenate([new, old], axis=1))
    pairs, sizes = unique_rows(sides, counts)
    _, observed = unique_rows(sides, np.where(ascends, counts, 0))
    lower, higher = (patterns.matrices(cells) for cells in np.split(pairs, 2, axis=1))
    agreed = patterns.counts[~differ] @ patterns.matrices(patterns.old[~differ])

    def difference(first_lower: Integers) -> Floats:
        first_higher = sizes - first_lower
        first = agreed + first_lower @ lower + first_higher @ higher
        second = agreed + first_lower @ higher + first_higher @ lower
        return patterns.difference(first, second, metric)

    return sizes, observed, difference


def _is_lower(rows: Integers, others: Integers) -> NDArray[np.bool_]:
    """Return True for every row that sorts before the other row. Rows differ."""
    places, first = np.arange(len(rows)), (rows != others).argmax(axis=1)
    return np.asarray(rows[places, first] < others[places, first])


def _patterns(answers: Sequence[CountedAnswer], task: TaskSettings) -> AnswerPatterns:
    labels = LabelCodes.of((label for _, triple in answers for label in triple), task)
    return AnswerPatterns.of([triple for _, triple in answers], [unit for unit, _ in answers], labels)


def new_interval(patterns: AnswerPatterns, metric: str, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of the metric under the second prompt."""
    matrices = patterns.matrices(patterns.new)
    return _interval(patterns, lambda draw: patterns.values(draw @ matrices, metric), seed)


def _bootstrap_interval(patterns: AnswerPatterns, metric: str, seed: int) -> tuple[float, float]:
    """Return the percentile interval of the difference."""
    old, new = (patterns.matrices(cells) for cells in (patterns.old, patterns.new))
    return _interval(patterns, lambda draw: patterns.difference(draw @ old, draw @ new, metric), seed)


def _interval(patterns: AnswerPatterns, statistic: Callable[[Integers], Floats], seed: int) -> tuple[float, float]:
    """Return the percentile interval of a statistic of pattern counts.

    A resample of the groups is a multinomial draw of their patterns.
    """
    total = int(patterns.counts.sum())
    if total == 1:
        return -_WIDEST, _WIDEST
    generator = generator_of(seed, "bootstrap")
    draws = (generator.multinomial(total, patterns.counts / total, rows) for rows in _batches(RESAMPLES, patterns))
    values = np.concatenate([statistic(draw) for draw in draws])
    tail = expanded_tail(total)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def _batches(total: int, patterns: AnswerPatterns) -> Iterator[int]:
    """Yield the sizes of batches. A draw has a confusion matrix and the counts of all patterns."""
    return batch_sizes(total, max(len(patterns.labels) ** 2, len(patterns.counts)))
