"""Krippendorff's alpha: agreement of several raters beyond chance, with missing ratings.

alpha = 1 - observed disagreement / expected disagreement. Observed: between ratings of one sample. Expected: between
ratings of any two samples. 1 is perfect agreement, 0 is chance; raters who avoid agreement are below 0. Source:
Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.undefined import Undefined, Value
from state.settings import TaskSettings

Level = Literal["nominal", "ordinal", "interval"]
"""Distance of two ratings. nominal: 0 if equal, else 1. interval: squared difference. ordinal: squared number of
ratings between the two, with half of the ratings at either end."""

RatingValue = float | str
"""A rating of one person: a number, or a category."""


def krippendorff_alpha(ratings: Sequence[Sequence[RatingValue | None]], level: Level) -> Value:
    """Return alpha, at most 1. `ratings` has the ratings of each sample; the order of raters plays no part.

    None is a missing rating. Samples may have different numbers of ratings. A sample with fewer than two ratings says
    nothing about agreement and is left out. Undefined if no sample has two ratings, and if all ratings are equal.
    Raises `ValueError` for ratings that are no numbers, unless the level is nominal.
    """
    rated = [[rating for rating in row if rating is not None] for row in ratings]
    values: dict[RatingValue, int] = {}
    for row in rated:
        for rating in row:
            values.setdefault(rating, len(values))
    counts = np.zeros((len(rated), len(values)))
    for place, row in enumerate(rated):
        np.add.at(counts[place], [values[rating] for rating in row], 1)
    return alpha_of_counts(counts, _scale(list(values), level), level)


def alpha_of_counts(counts: Floats, scale: Floats, level: Level) -> Value:
    """Return alpha of counted ratings, for a bootstrap over samples.

    `counts`, of shape (samples, values), holds the number of ratings of a sample with a value. `scale`, of shape
    (values,), holds the values as numbers, in any order; a nominal alpha ignores them.
    """
    counts = counts[counts.sum(axis=1) > 1]
    if not len(counts):
        return Undefined("no sample has two ratings")
    pairs = counts / (counts.sum(axis=1, keepdims=True) - 1)
    coincidences = counts.T @ pairs - np.diag(pairs.sum(axis=0))
    totals = coincidences.sum(axis=0)
    distances = _distances(totals, scale, level)
    expected = float(totals @ distances @ totals)
    if expected <= 0:
        return Undefined("all ratings are equal")
    return 1.0 - (float(totals.sum()) - 1.0) * float((coincidences * distances).sum()) / expected


def level_of(task: TaskSettings) -> Level:
    """Return the distance of the ratings of a task: ordinal for ratings, nominal for categories."""
    return "ordinal" if task.kind == "ordinal" else "nominal"


def _scale(values: Sequence[object], level: Level) -> Floats:
    if level == "nominal":
        return np.arange(len(values), dtype=np.float64)
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values) or not np.isfinite(numbers).all():
        raise ValueError(f"level {level}: needs ratings that are numbers; take the level nominal for categories")
    return np.array(numbers, dtype=np.float64)


def _distances(totals: Floats, scale: Floats, level: Level) -> Floats:
    """Return the distance of every two values: shape (values, values)."""
    if level == "nominal":
        return 1.0 - np.eye(len(totals))
    places = scale
    if level == "ordinal":
        order = np.argsort(scale)
        places = np.empty_like(totals)
        places[order] = np.cumsum(totals[order]) - totals[order] / 2
    return np.asarray((places[:, None] - places[None, :]) ** 2)
