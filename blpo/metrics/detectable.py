"""Difference that a test split can show: known before any judging, from the sizes of its groups.

Model: under two prompts a quarter of the answers differ (`DIFFERING`), and samples of a group share half of the
variance (`SHARED`). A group of m samples then counts as m / (1 + (m - 1) / 2) samples. The difference in accuracy has
the standard error s = sqrt(DIFFERING * sum of m * (1 + (m - 1) * SHARED)) / n over n samples in G groups. A true
difference of t * s, with Student's t at 97.5 % and G - 1 degrees of freedom, is found in about half of all tests.
"""

from collections import Counter
from collections.abc import Sequence
from math import sqrt

from scipy.special import stdtrit

from blpo.metrics.readings import SIGNIFICANT
from blpo.metrics.resampling import own_groups

DIFFERING = 0.25
"""Share of samples with different answers under two prompts."""
SHARED = 0.5
"""Share of the variance that samples of a group have in common."""
LEAST_GROUPS = next(groups for groups in range(1, 100) if 2.0 ** (1 - groups) < SIGNIFICANT)
"""With fewer groups no swap of groups is rare enough: the smallest p-value is 2 / 2^groups."""


def detectable_difference(groups: Sequence[str | None]) -> float | None:
    """Return the difference in accuracy that a test of these samples finds in about half of all cases, at most 1.

    `groups` has the group of every sample; None for a sample of its own. None if the test can show nothing.
    """
    sizes = list(Counter(own_groups(groups)).values())
    if len(sizes) < LEAST_GROUPS:
        return None
    spread = sum(size * (1 + (size - 1) * SHARED) for size in sizes)
    error = sqrt(DIFFERING * spread) / sum(sizes)
    return min(1.0, float(stdtrit(len(sizes) - 1, 1 - SIGNIFICANT / 2)) * error)
