"""Holm's correction: p-values of several tests, such that one wrong rejection among them is as rare as of one test."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the given order (Holm 1979, step-down).

    Each is at least the p-value itself and at most 1 and Bonferroni's; a smaller p-value never gets a larger one.
    """
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, place in enumerate(sorted(range(count), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
