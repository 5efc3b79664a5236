"""Agreement of a ranking with the ranking of people, list by list, and strengths from comparisons of two.

Labels are texts of `state.ranking`. A metric of many lists is the mean over the lists.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import nan
from statistics import fmean

import numpy as np

from state.ranking import ranking_label, ranks_of
from state.sample import Label

SHARES_OF_FIRST = {"a": 1.0, "b": 0.0, "tie": 0.5}
"""Share of the first of a pair in the win, by label."""
_MEMORY = 65_536
"""Values in memory: a run looks at the same rankings again and again."""
_PRIOR = 0.5
"""Comparisons, won and lost alike, of every image with an average image. Without them an image that wins all
comparisons has an infinite strength."""
_STEPS, _STILL = 1000, 1e-10


@lru_cache(_MEMORY)
def tau_b(human: str, answer: str) -> float:
    """Return Kendall's tau-b of two rankings, in [-1, 1]; NaN if `human` has a single level.

    0.0 for an answer with all images equal, which scipy leaves undefined: no agreement was shown.
    """
    from scipy.stats import kendalltau  # takes half a second to import

    ranks, answers = ranks_of(human), ranks_of(answer)
    if len(set(answers)) == 1 < len(set(ranks)):
        return 0.0
    return float(kendalltau(ranks, answers).statistic)


@lru_cache(_MEMORY)
def ndcg(human: str, answer: str) -> float:
    """Return the normalised discounted cumulative gain, in [0, 1], as scikit-learn's `ndcg_score`.

    The gain of an image is the number of levels below the image's level in `human`. Tied answers share their discounts.
    NaN if `human` has a single level.
    """
    from sklearn.metrics import ndcg_score

    ranks, answers = ranks_of(human), ranks_of(answer)
    if len(set(ranks)) < 2:
        return nan
    gains = [max(ranks) - rank for rank in ranks]
    return float(ndcg_score([gains], [[-rank for rank in answers]]))


@lru_cache(_MEMORY)
def top_1(human: str, answer: str) -> float:
    """Return 1.0 if the image that the answer ranks first is a best image of people, else 0.0.

    If the answer ranks several images first, the value is the share of best images among them.
    """
    best = [rank == 1 for rank in ranks_of(human)]
    first = [is_best for is_best, rank in zip(best, ranks_of(answer), strict=True) if rank == 1]
    return sum(first) / len(first)


LIST_METRICS: dict[str, Callable[[str, str], float]] = {"kendall_tau_b": tau_b, "ndcg": ndcg, "top_1": top_1}
"""Value of a list by metric: the ranking of people, then an answer. NaN if undefined."""


def list_means(human: Sequence[str], answers: Sequence[str]) -> dict[str, float]:
    """Return the mean of every metric over the lists; NaN without a list."""
    pairs = list(zip(human, answers, strict=True))
    return {name: fmean(value(*pair) for pair in pairs) if pairs else nan for name, value in LIST_METRICS.items()}


def list_rows(
    answers: Sequence[tuple[str | int, tuple[Label, Label, Label]]], metric: str
) -> list[tuple[float, float, float, str | int]]:
    """Return old value, new value, 0.0 and group of every list, as `blpo.metrics.mean_ratings` compares means.

    An answer is a group, and the ranking of people with the old and the new answer.
    """
    value = LIST_METRICS[metric]
    return [
        (value(str(human), str(old)), value(str(human), str(new)), 0.0, group) for group, (human, old, new) in answers
    ]


def chance_value(human: Sequence[str], metric: str) -> float | None:
    """Return the expected metric of random permutations; None without a list.

    The expectation of tau-b is 0. The expectations of NDCG and of top-1 are those of an answer with all images tied.
    """
    if not human or metric == "kendall_tau_b":
        return 0.0 if human else None
    return fmean(LIST_METRICS[metric](label, ranking_label([1] * len(ranks_of(label)))) for label in human)


def bradley_terry(items: int, comparisons: Iterable[tuple[int, int, float]]) -> list[float]:
    """Return the strengths of `items` from comparisons, by the model of Bradley and Terry (1952); the mean log is 0.

    A comparison is (first, second, share): the share of the win of the first item is 1.0 for a win, 0.0 for a loss and
    0.5 for a tie. Items are numbered from 0. The strengths are the fixed point of Hunter's algorithm (2004), with
    `_PRIOR` wins and losses against an item of the strength 1.
    """
    wins = np.zeros((items, items))
    for first, second, share in comparisons:
        wins[first, second] += share
        wins[second, first] += 1 - share
    games, won = wins + wins.T, wins.sum(1) + _PRIOR
    strengths = np.ones(items)
    for _ in range(_STEPS):
        chances = games / (strengths[:, None] + strengths[None, :])
        new = won / (chances.sum(1) + 2 * _PRIOR / (strengths + 1))
        change = float(np.abs(np.log(new / strengths)).max(initial=0.0))
        strengths = new
        if change < _STILL:
            break
    logs = np.log(strengths)
    return [float(value) for value in np.exp(logs - logs.mean())] if items else []


def strengths_as_ranks(strengths: Sequence[float]) -> list[float]:
    """Return ranks for `state.ranking.ranking_label`: lower is better. Strengths that differ by rounding are equal."""
    return [-round(float(np.log(strength)), 9) for strength in strengths]
