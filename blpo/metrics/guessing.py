"""Metrics of guessing: the expected value of a metric for answers that ignore the images.

Every sample gets a label from the same distribution, independently of its human label. Given the numbers of guessed
labels, all assignments to samples are then equally likely. So the expected kappas and correlations are 0, the expected
precision is the share of the label, and recall is the probability of the label. The expected F1 is a sum over two
binomial counts: the guesses with the label on samples with the label, and on the other samples.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.rankings import chance_value
from state.metrics import Guessing
from state.sample import Label
from state.settings import PAIR_METRICS, TaskSettings, split_metric

_TAIL = 1e-13
"""Probability of the counts that are left out at either end of a binomial distribution."""


def guessing(human: Sequence[Label], task: TaskSettings, metric: str) -> Guessing:
    """Return the expected `metric` of uniform guessing, and of guessing by the shares of the human labels.

    Exact, up to 1e-12. An undefined outcome of guessing (a precision without a verdict) is left out of the expectation.
    Guessing of a ranking is a random order; `shares` is None.
    """
    if task.kind == "ranking":
        return Guessing(uniform=chance_value([str(label) for label in human], metric), shares=None)
    frequency = Counter(human)
    counts = np.array([frequency[label] for label in task.values], dtype=np.float64)
    if not counts.sum():
        return Guessing(uniform=None, shares=None)
    uniform, shares = np.full(len(counts), 1 / len(counts)), counts / counts.sum()
    places = {str(label): place for place, label in enumerate(task.values)}
    name, label = split_metric(metric)
    place = None if label is None else places[label]
    return Guessing(uniform=_expected(name, place, counts, uniform), shares=_expected(name, place, counts, shares))


def _expected(metric: str, place: int | None, counts: Floats, chances: Floats) -> float | None:
    total, occurs = counts.sum(), counts > 0
    if metric == "accuracy":
        return float((counts * chances).sum() / total)
    if metric in PAIR_METRICS:  # right in both orders, by two independent guesses
        return float((counts * chances**2).sum() / total)
    if metric == "balanced_accuracy":
        return float(chances[occurs].mean())
    if metric == "macro_f1":
        labels = zip(counts[occurs], chances[occurs], strict=True)
        return float(np.mean([_expected_f1(int(own), int(total - own), chance) for own, chance in labels]))
    if metric in ("kappa", "quadratic_kappa"):
        return None if chances[occurs].sum() == 1 and occurs.sum() == 1 else 0.0
    if place is None:
        return None if occurs.sum() == 1 else 0.0
    own, chance = counts[place], float(chances[place])
    if metric == "f1":
        return _expected_f1(int(own), int(total - own), chance) if own or chance else None
    if metric == "recall":
        return chance if own else None
    if metric == "specificity":
        return 1 - chance if own < total else None
    return float(own / total) if chance else None


def _expected_f1(own: int, others: int, chance: float) -> float:
    """Return the expected F1 of a label with `own` samples among `own + others`, guessed with probability `chance`."""
    from scipy.stats import binom  # takes half a second to import

    right, wrong = (_likely_counts(size, chance) for size in (own, others))
    guessed = right[:, None] + wrong[None, :]
    f1 = 2 * right[:, None] / np.maximum(own + guessed, 1)
    weights = binom.pmf(right, own, chance)[:, None] * binom.pmf(wrong, others, chance)[None, :]
    defined = own + guessed > 0
    return float((f1 * weights)[defined].sum() / weights[defined].sum())


def _likely_counts(size: int, chance: float) -> Floats:
    """Return all counts from 0 to `size` that are not vanishingly rare."""
    from scipy.stats import binom  # takes half a second to import

    low, high = (float(binom.ppf(tail, size, chance)) for tail in (_TAIL, 1 - _TAIL))
    return np.arange(max(low, 0.0), min(high, size) + 1, dtype=np.float64)
