"""Metrics as functions of a confusion matrix, for many matrices at once.

Resampling needs a metric tens of thousands of times. A metric that selects prompts depends on the samples only through
the confusion matrix, so a few array operations compute the metric over a stack of matrices. The definitions are the
same as in `blpo.metrics.agreement`, where scikit-learn computes a metric for a single prompt; tests compare the two.
"""

import numpy as np
from numpy.typing import NDArray

from state.settings import Metric

Floats = NDArray[np.float64]


def metric_values(counts: Floats, metric: Metric, scale: Floats) -> Floats:
    """Return `metric` of every confusion matrix; 0.0 if undefined.

    `counts` has shape (..., L, L): human label by predicted label. `scale`, of shape (L,), holds the ratings of the
    labels, ascending; only `quadratic_kappa` uses the scale.
    """
    total, human, predicted = counts.sum((-2, -1)), counts.sum(-1), counts.sum(-2)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    if metric == "accuracy":
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
    return _correlation(counts, _ranks(human), _ranks(predicted))


def _quadratic_kappa(counts: Floats, human: Floats, predicted: Floats, scale: Floats) -> Floats:
    """Return 1 - observed / expected squared distance. Expected: independent answers with the same margins."""
    squares = (scale[:, None] - scale[None, :]) ** 2
    observed = counts.reshape(*counts.shape[:-2], -1) @ squares.ravel() * human.sum(-1)
    expected = ((human @ squares) * predicted).sum(-1)
    return _ratio(expected - observed, expected)


def _ranks(margin: Floats) -> Floats:
    """Return the mean rank of a label's samples, for every label. Tied samples share the mean of their ranks."""
    return np.cumsum(margin, -1) - (margin - 1) / 2


def _correlation(counts: Floats, human_rank: Floats, predicted_rank: Floats) -> Floats:
    """Return Pearson's correlation of the ranks."""
    human, predicted = counts.sum(-1), counts.sum(-2)
    x = human_rank - _ratio((human * human_rank).sum(-1), human.sum(-1))[..., None]
    y = predicted_rank - _ratio((predicted * predicted_rank).sum(-1), predicted.sum(-1))[..., None]
    covariance = (np.einsum("...ij,...j->...i", counts, y) * x).sum(-1)
    return _ratio(covariance, np.sqrt((human * x**2).sum(-1) * (predicted * y**2).sum(-1)))


def _mean_over_classes(values: Floats, human: Floats) -> Floats:
    occurs = human > 0
    return _ratio((values * occurs).sum(-1), occurs.sum(-1))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below > 0)
