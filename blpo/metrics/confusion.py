"""Metrics as functions of a confusion matrix, for many matrices at once.

Resampling needs a metric tens of thousands of times. A metric depends on the samples only through the confusion matrix,
so a few array operations compute the metric over a stack of matrices. Tests compare every metric with scikit-learn and
scipy.
"""

import numpy as np
from numpy.typing import NDArray

from state.settings import LABEL_METRICS, PAIR_METRICS

Floats = NDArray[np.float64]


def metric_values(counts: Floats, metric: str, scale: Floats, place: int | None = None) -> Floats:
    """Return `metric` of every confusion matrix. An undefined value counts as 0.0: no agreement was shown.

    `counts` has shape (..., L, L): human label by predicted label. `scale`, of shape (L,), holds the ratings of the
    labels, ascending; metrics of ratings use the scale. `place` is the label of a metric of one label; None for a label
    that occurs nowhere.
    """
    return np.nan_to_num(values_or_nan(counts, metric, scale, place))


def values_or_nan(counts: Floats, metric: str, scale: Floats, place: int | None = None) -> Floats:
    """Return the same as `metric_values`, with NaN for an undefined value."""
    total, human, predicted = counts.sum((-2, -1)), counts.sum(-1), counts.sum(-2)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    if metric in LABEL_METRICS:
        if place is None:
            right, human, predicted = (np.zeros((*total.shape, 1)) for _ in range(3))
        label = place or 0
        return _of_label(metric, right[..., label], human[..., label], predicted[..., label], total)
    if metric in ("accuracy", *PAIR_METRICS):  # of answers, or of pairs
        return _ratio(right.sum(-1), total)
    if metric == "balanced_accuracy":
        return _mean_over_classes(_ratio(right, human), human)
    if metric == "macro_f1":
        return _mean_over_classes(_ratio(2 * right, human + predicted), human)
    if metric == "kappa":
        chance = (human * predicted).sum(-1)
        return _ratio(right.sum(-1) * total - chance, total**2 - chance)
    if metric == "quadratic_kappa":
        return _quadratic_kappa(counts, human, predicted, scale)
    if metric == "mcc":
        return _matthews(right.sum(-1), total, human, predicted)
    if metric == "kendall_tau_b":
        return _kendall(counts, total, human, predicted)
    ranks = (scale, scale) if metric == "pearson" else (_ranks(human), _ranks(predicted))
    return _correlation(counts, *ranks)


def _of_label(metric: str, right: Floats, human: Floats, predicted: Floats, total: Floats) -> Floats:
    """Return a metric of one label: `right` are verdicts with the label on samples with the label."""
    if metric == "precision":
        return _ratio(right, predicted)
    if metric == "recall":
        return _ratio(right, human)
    if metric == "f1":
        return _ratio(2 * right, human + predicted)
    return _ratio(total - human - predicted + right, total - human)


def _quadratic_kappa(counts: Floats, human: Floats, predicted: Floats, scale: Floats) -> Floats:
    """Return 1 - observed / expected squared distance. Expected: independent answers with the same margins."""
    squares = (scale[:, None] - scale[None, :]) ** 2
    observed = counts.reshape(*counts.shape[:-2], -1) @ squares.ravel() * human.sum(-1)
    expected = ((human @ squares) * predicted).sum(-1)
    return _ratio(expected - observed, expected)


def _matthews(right: Floats, total: Floats, human: Floats, predicted: Floats) -> Floats:
    """Return the correlation of labels as indicator vectors (Gorodkin 2004), for any number of labels."""
    covariance = right * total - (human * predicted).sum(-1)
    spreads = [total**2 - (margin**2).sum(-1) for margin in (human, predicted)]
    return _ratio(covariance, np.sqrt(spreads[0] * spreads[1]))


def _kendall(counts: Floats, total: Floats, human: Floats, predicted: Floats) -> Floats:
    """Return tau-b: (concordant - discordant pairs) / geometric mean of the pairs without ties on a side."""
    below = np.cumsum(counts, -2) - counts  # lower human label, same verdict
    lower = np.cumsum(below, -1) - below  # lower human label, lower verdict
    higher = below.sum(-1, keepdims=True) - lower - below
    balance = 2 * (counts * (lower - higher)).sum((-2, -1))
    untied = [total**2 - (margin**2).sum(-1) for margin in (human, predicted)]
    return _ratio(balance, np.sqrt(untied[0] * untied[1]))


def _ranks(margin: Floats) -> Floats:
    """Return the mean rank of a label's samples, for every label. Tied samples share the mean of their ranks."""
    return np.cumsum(margin, -1) - (margin - 1) / 2


def _correlation(counts: Floats, human_rank: Floats, predicted_rank: Floats) -> Floats:
    """Return Pearson's correlation of the ranks. Undefined if either side holds a single label."""
    human, predicted = counts.sum(-1), counts.sum(-2)
    x, y = (
        rank - _ratio((margin * rank).sum(-1), margin.sum(-1))[..., None]
        for margin, rank in ((human, human_rank), (predicted, predicted_rank))
    )
    covariance = (np.einsum("...ij,...j->...i", counts, y) * x).sum(-1)
    spread = np.sqrt((human * x**2).sum(-1) * (predicted * y**2).sum(-1))
    varied = ((human > 0).sum(-1) > 1) & ((predicted > 0).sum(-1) > 1)
    return _ratio(covariance, np.where(varied, spread, 0.0))


def _mean_over_classes(values: Floats, human: Floats) -> Floats:
    occurs = human > 0
    return _ratio(np.where(occurs, values, 0.0).sum(-1), occurs.sum(-1))


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return above / below; NaN where `below` is 0."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.asarray(np.divide(above, below, out=np.full(shape, np.nan), where=below > 0))
