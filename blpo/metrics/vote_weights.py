"""Weights of the members of a panel: the log-odds of being right.

For members that err independently, and on all wrong labels alike, the rule with the weights log((K - 1) p / (1 - p)) is
right most often, p being a member's probability to be right on K labels (Nitzan and Paroush 1982 for two labels, where
the weight is log(p / (1 - p)); Berend and Kontorovich 2014 for p estimated from samples).
"""

from math import log


def vote_weight(right: int, answers: int, labels: int) -> float:
    """Return the weight of a member with `right` of `answers` right answers, on so many different labels; at least 0.

    p is (right + 1) / (answers + labels), Laplace's estimate: the weight is finite, and 0 without an answer. A member
    that is right no more often than by chance has the weight 0.
    """
    p = (right + 1) / (answers + labels)
    return max(0.0, log((labels - 1) * p / (1 - p)))
