"""Quality of confidences: calibration error, Brier score, AUROC, risk and coverage, ratings by probability.

A confidence is the probability that a verdict is right, in [0, 1]. Right means: equal to the human label. All functions
take a confidence and a truth value for every answered sample, in any order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blpo.metrics.confusion import Floats
from state.sample import Label

BINS = 10
"""Bins of equal width."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Samples with a confidence in (low, high]; 0 is in the first bin."""

    low: float
    high: float
    samples: int
    confidence: float
    """Mean confidence."""
    agreement: float
    """Share of right verdicts."""


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """The verdicts with at least a confidence."""

    threshold: float
    coverage: float
    """Share of the answered samples, in (0, 1]."""
    agreement: float
    """Share of right verdicts among them."""


@dataclass(frozen=True, slots=True)
class ConfidenceQuality:
    """Quality of the confidences of a set."""

    samples: int
    agreement: float
    """Share of right verdicts."""
    ece: float
    """Expected calibration error: mean of |confidence - agreement| over the bins, by their size. 0 is best. With few
    samples chance alone gives more than 0."""
    brier: float
    """Mean of (confidence - right)^2. 0 is best."""
    auroc: float | None
    """Probability that a right verdict has a higher confidence than a wrong verdict, ties as half; 0.5 for guessing.
    None if all verdicts are right, or all wrong."""
    aurc: float
    """Area under the curve of risk (share of wrong verdicts) over coverage. 0 is best."""
    agreement_at_half: float
    """Share of right verdicts among the half with the highest confidence."""


def confidence_quality(confidences: Sequence[float], right: Sequence[bool]) -> ConfidenceQuality | None:
    """Return the quality of confidences; None without a sample."""
    if not confidences:
        return None
    values, truths = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    risks = risks_by_rank(confidences, right)
    gaps = (abs(each.confidence - each.agreement) * each.samples for each in bins(confidences, right))
    half = (len(values) + 1) // 2
    return ConfidenceQuality(
        samples=len(values),
        agreement=float(truths.mean()),
        ece=sum(gaps) / len(values),
        brier=float(np.mean((values - truths) ** 2)),
        auroc=_auroc(values, truths),
        aurc=float(risks.mean()),
        agreement_at_half=float(1 - risks[half - 1]),
    )


def _auroc(values: Floats, truths: Floats) -> float | None:
    """Return the area by the rank sum of the right verdicts (Mann and Whitney 1947)."""
    from scipy.stats import rankdata  # takes half a second to import

    right, wrong = int(truths.sum()), int(len(truths) - truths.sum())
    if not right or not wrong:
        return None
    ranks = rankdata(values)[truths == 1].sum()
    return float((ranks - right * (right + 1) / 2) / (right * wrong))


def bins(confidences: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Return the bins that hold a sample, in order."""
    values, truths = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    places = np.clip(np.ceil(values * BINS).astype(int) - 1, 0, BINS - 1)
    members = [(place, places == place) for place in range(BINS)]
    return [
        Bin(place / BINS, (place + 1) / BINS, int(own.sum()), float(values[own].mean()), float(truths[own].mean()))
        for place, own in members
        if own.any()
    ]


def risks_by_rank(confidences: Sequence[float], right: Sequence[bool]) -> Floats:
    """Return the share of wrong verdicts among the k most confident, for k from 1 to all.

    Verdicts of equal confidence come in no order: the share is the mean over all their orders.
    """
    values, wrong = np.asarray(confidences, dtype=np.float64), 1.0 - np.asarray(right, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    _, block, sizes = np.unique(-values[order], return_inverse=True, return_counts=True)
    means = np.bincount(block, weights=wrong[order]) / sizes
    return np.asarray(np.cumsum(means[block]) / np.arange(1, len(values) + 1))


def coverage_curve(confidences: Sequence[float], right: Sequence[bool]) -> list[CoveragePoint]:
    """Return coverage and agreement at every confidence that occurs, from the highest to the lowest."""
    values, truths = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    thresholds, counts = np.unique(values, return_counts=True)
    rights = np.asarray([truths[values == threshold].sum() for threshold in thresholds])
    covered, agreed = np.cumsum(counts[::-1]), np.cumsum(rights[::-1])
    rows = zip(thresholds[::-1], covered, agreed, strict=True)
    return [CoveragePoint(float(t), float(n / len(values)), float(a / n)) for t, n, a in rows]


def expected_rating(scores: Mapping[Label, float]) -> float:
    """Return the mean of the ratings by their probabilities, which add up to 1."""
    return sum(float(label) * probability for label, probability in scores.items())


@dataclass(frozen=True, slots=True)
class RatingQuality:
    """Agreement of numbers with people's ratings."""

    mae: float
    spearman: float | None
    """None for fewer than two different numbers or ratings."""


def rating_quality(numbers: Sequence[float], ratings: Sequence[float]) -> RatingQuality | None:
    """Return the mean absolute error and Spearman's correlation; None without a sample."""
    from scipy.stats import spearmanr  # takes half a second to import

    if not numbers:
        return None
    is_flat = len(set(numbers)) < 2 or len(set(ratings)) < 2
    mae = float(np.mean(np.abs(np.subtract(numbers, ratings))))
    return RatingQuality(mae, None if is_flat else float(spearmanr(numbers, ratings).statistic))
