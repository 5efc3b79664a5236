"""Calibration of confidences: a monotone map from a model's own confidence to the probability of being right.

Two maps compete: Platt's logistic curve over the logit (Platt 1999, with his smoothed targets), and isotonic regression
(Zadrozny and Elkan 2002). Cross-validation over groups chooses by the Brier score. A map must beat the confidence as it
stands by more than a standard error, else no map is taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from blpo.metrics.answer_patterns import Integers
from blpo.metrics.confusion import Floats
from blpo.metrics.resampling import generator_of, own_groups

FOLDS = 5
FEWEST_GROUPS = 20
"""Fewer groups choose no map."""
_EDGE = 1e-6
"""Distance of a confidence from 0 and 1 in the logit."""
_FREE = 1e6
"""Inverse weight of the ridge in the logistic regression: next to none."""

Method = Literal["none", "platt", "isotonic"]


@dataclass(frozen=True, slots=True)
class ConfidenceMap:
    """A map from [0, 1] to [0, 1] that never falls."""

    method: Method = "none"
    slope: float = 1.0
    """Platt: slope over the logit, at least 0."""
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()
    """Isotonic: points (confidence, probability), with straight lines between them and flat ends."""

    def __call__(self, confidences: Sequence[float] | Floats) -> Floats:
        """Return the probabilities of being right, in the order of `confidences`."""
        values = np.asarray(confidences, dtype=np.float64)
        if self.method == "platt":
            return np.asarray(expit(self.slope * _logits(values) + self.intercept))
        if self.method == "isotonic":
            places, heights = zip(*self.knots, strict=True)
            return np.asarray(np.interp(values, places, heights))
        return values


@dataclass(frozen=True, slots=True)
class MapChoice:
    """The chosen map, with the Brier scores that chose it."""

    map: ConfidenceMap
    brier: dict[Method, float]
    """Cross-validated Brier score by method; empty if there were too few groups to choose."""


def choose_map(
    confidences: Sequence[float], right: Sequence[bool], groups: Sequence[str | None], seed: int = 0
) -> MapChoice:
    """Return the map with the lowest cross-validated Brier score, fitted to all samples.

    A group is never divided between fit and score; None is a group of its own. `none` for fewer than `FEWEST_GROUPS`
    groups, and for verdicts that are all right or all wrong. Same input and seed, same result.
    """
    values, truths = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    units = _codes(groups)
    if len(np.unique(units)) < FEWEST_GROUPS or truths.min() == truths.max():
        return MapChoice(ConfidenceMap(), {})
    losses = _held_out_losses(values, truths, units, seed)
    scores = {method: float(loss.mean()) for method, loss in losses.items()}
    best = min(scores, key=scores.__getitem__)
    if best == "none" or _sure_gain(losses["none"] - losses[best], units) <= 0:
        best = "none"
    return MapChoice(fit_map(best, values, truths), scores)


def fit_map(method: Method, confidences: Sequence[float] | Floats, right: Sequence[bool] | Floats) -> ConfidenceMap:
    """Return the map of a method, fitted to samples."""
    values, truths = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if method == "platt":
        return _platt(values, truths)
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression  # scikit-learn takes long to import

        fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(values, truths)
        knots = zip(map(float, fitted.X_thresholds_), map(float, fitted.y_thresholds_), strict=True)
        return ConfidenceMap("isotonic", knots=tuple(_without_middles(knots)))
    return ConfidenceMap()


def _platt(values: Floats, truths: Floats) -> ConfidenceMap:
    """Fit the curve to smoothed targets: each sample is right with a weight, and wrong with the rest of the weight."""
    rights, wrongs = truths.sum(), len(truths) - truths.sum()
    targets = np.where(truths == 1, (rights + 1) / (rights + 2), 1 / (wrongs + 2))
    twice = np.concatenate([_logits(values), _logits(values)])[:, None]
    classes = np.repeat([1, 0], len(values))
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_FREE, max_iter=1000)
    model.fit(twice, classes, sample_weight=np.concatenate([targets, 1 - targets]))
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < 0:  # the confidence tells nothing; a map never falls
        slope, intercept = 0.0, float(logit(targets.mean()))
    return ConfidenceMap("platt", slope, intercept)


def _held_out_losses(values: Floats, truths: Floats, units: Integers, seed: int) -> dict[Method, Floats]:
    """Return the squared error of every sample by method, each fitted without the sample's fold."""
    folds = (generator_of(seed, "confidence").permutation(units.max() + 1) % FOLDS)[units]
    methods: tuple[Method, ...] = ("none", "platt", "isotonic")
    losses = {method: np.zeros(len(values)) for method in methods}
    for fold in range(FOLDS):
        fold_mask = folds == fold
        for method in methods:
            probabilities = fit_map(method, values[~fold_mask], truths[~fold_mask])(values[fold_mask])
            losses[method][fold_mask] = (probabilities - truths[fold_mask]) ** 2
    return losses


def _sure_gain(gains: Floats, units: Integers) -> float:
    """Return the mean gain less its standard error; the samples of a unit are not independent."""
    sums = np.bincount(units, weights=gains - gains.mean())
    return float(gains.mean() - np.sqrt(np.sum(sums**2)) / len(gains))


def _codes(groups: Sequence[str | None]) -> Integers:
    """Return a number from 0 for the group of every sample."""
    codes: dict[str | int, int] = {}
    return np.asarray([codes.setdefault(unit, len(codes)) for unit in own_groups(groups)])


def _logits(values: Floats) -> Floats:
    return np.asarray(logit(np.clip(values, _EDGE, 1 - _EDGE)))


def _without_middles(knots: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the knots without those in the middle of a flat stretch."""
    rows = list(knots)
    return [
        knot
        for place, knot in enumerate(rows)
        if place in (0, len(rows) - 1) or not rows[place - 1][1] == knot[1] == rows[place + 1][1]
    ]
