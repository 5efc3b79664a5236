"""Holm's correction of p-values: a wrong rejection among several tests gets as rare as in a single test."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values, in the order of `p_values` (Holm 1979, step-down).

    An adjusted p-value is at least the p-value and at most Bonferroni's (at most 1). The order of size is kept.
    """
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, place in enumerate(sorted(range(count), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
