"""Parts of all permutation tests and bootstraps: groups, random numbers, batches, ends of intervals."""

import math
from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np
from scipy.special import ndtr, stdtrit

_NUMBERS_AT_ONCE = 2_000_000
"""Numbers in the arrays of a batch."""


def own_groups(groups: Sequence[str | None]) -> list[str | int]:
    """Return the groups, with a group of its own in place of every None. As a set: the different groups."""
    return [place if group is None else group for place, group in enumerate(groups)]


def generator_of(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator for a purpose. Same seed and purpose, same random numbers."""
    return np.random.default_rng(int.from_bytes(sha256(f"{seed}/{purpose}".encode()).digest()))


def batch_sizes(total: int, numbers: int) -> Iterator[int]:
    """Yield sizes that sum to `total`. The arrays of a batch fit into memory, with so many numbers for each draw."""
    most = max(1, _NUMBERS_AT_ONCE // numbers)
    for start in range(0, total, most):
        yield min(most, total - start)


def expanded_tail(groups: int) -> float:
    """Return the share of resamples below a 95 % interval of at least two groups: 0.025 for many, less for few.

    A percentile interval is too short for few groups: the bootstrap's variance is too small by (n - 1) / n, and its
    quantiles are those of the normal distribution instead of Student's (Hesterberg 2015, "What Teachers Should Know
    About the Bootstrap", section 4.2).
    """
    return float(ndtr(stdtrit(groups - 1, 0.025) * math.sqrt(groups / (groups - 1))))
