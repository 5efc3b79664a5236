"""Krippendorff's alpha against published values and against a computation by pairs of ratings."""

import functools
import itertools
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.metrics.krippendorff import Level, alpha_of_counts, krippendorff_alpha
from blpo.metrics.undefined import Undefined

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")
Ratings = list[list[int | None]]
ratings = st.lists(st.lists(st.one_of(st.integers(-2, 5), st.none()), max_size=5), max_size=12)

RATERS = (
    "* * * * * 3 4 1 2 1 1 3 3 * 3",
    "1 * 2 1 3 3 4 3 * * * * * * *",
    "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
)
"""The example of Krippendorff's encyclopedia entry: three raters, fifteen samples."""
EXAMPLE = [[None if cell == "*" else int(cell) for cell in row] for row in zip(*map(str.split, RATERS), strict=True)]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.691), ("ordinal", 0.807), ("interval", 0.811)])
def test_published_example(level: Level, alpha: float) -> None:
    assert krippendorff_alpha(EXAMPLE, level) == pytest.approx(alpha, abs=5e-4)


def by_pairs(samples: Ratings, level: Level) -> float | None:
    """Return alpha as 1 - mean distance within samples / mean distance of all pairs: the definition in words."""
    rated = [row for sample in samples if len(row := [r for r in sample if r is not None]) > 1]
    pooled = [rating for row in rated for rating in row]
    frequency = Counter(pooled)

    @functools.cache
    def distance(one: int, other: int) -> float:
        low, high = min(one, other), max(one, other)
        if level == "nominal":
            return float(one != other)
        if level == "interval":
            return float((one - other) ** 2)
        between = sum(count for value, count in frequency.items() if low <= value <= high)
        return float((between - (frequency[low] + frequency[high]) / 2) ** 2)

    def total(row: Sequence[int]) -> float:
        return sum(distance(a, b) for a, b in itertools.permutations(row, 2))

    possible = total(pooled)
    if possible == 0:
        return None
    observed = sum(total(row) / (len(row) - 1) for row in rated) / len(pooled)
    return 1 - observed / (possible / (len(pooled) * (len(pooled) - 1)))


@settings(max_examples=60, deadline=None)
@given(ratings, st.sampled_from(LEVELS))
def test_alpha_is_what_the_pairs_of_ratings_say(samples: Ratings, level: Level) -> None:
    expected, alpha = by_pairs(samples, level), krippendorff_alpha(samples, level)
    if expected is None:
        assert isinstance(alpha, Undefined)
    else:
        assert alpha == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(ratings, st.sampled_from(LEVELS), st.randoms(use_true_random=False))
def test_order_and_missing_ratings_play_no_part(samples: Ratings, level: Level, generator: random.Random) -> None:
    mixed: Ratings = [generator.sample([*row, None], len(row) + 1) for row in generator.sample(samples, len(samples))]
    first, second = krippendorff_alpha(samples, level), krippendorff_alpha([*mixed, [3]], level)
    assert first == second or first == pytest.approx(second, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(ratings, st.floats(0.1, 9), st.integers(-9, 9))
def test_the_interval_alpha_ignores_unit_and_origin(samples: Ratings, unit: float, origin: int) -> None:
    moved = [[None if r is None else unit * r + origin for r in row] for row in samples]
    first, second = krippendorff_alpha(samples, "interval"), krippendorff_alpha(moved, "interval")
    assert first == second or first == pytest.approx(second, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(ratings)
def test_the_ordinal_alpha_needs_only_the_order(samples: Ratings) -> None:
    moved = [[None if r is None else (r + 3) ** 3 for r in row] for row in samples]
    first, second = krippendorff_alpha(samples, "ordinal"), krippendorff_alpha(moved, "ordinal")
    assert first == second or first == pytest.approx(second, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_undefined_values_have_a_reason(level: Level) -> None:
    assert krippendorff_alpha([], level) == Undefined("no sample has two ratings")
    assert krippendorff_alpha([[1], [2, None]], level) == Undefined("no sample has two ratings")
    assert krippendorff_alpha([[3, 3], [3, 3]], level) == Undefined("all ratings are equal")


def test_perfect_agreement_and_words() -> None:
    assert krippendorff_alpha([["safe"] * 3, ["unsafe"] * 2], "nominal") == 1.0
    with pytest.raises(ValueError, match="level ordinal: needs ratings that are numbers"):
        krippendorff_alpha([["safe", "unsafe"]], "ordinal")


@pytest.mark.parametrize("level", LEVELS)
def test_counted_ratings_give_the_same(level: Level) -> None:
    counts = np.array([[sum(r == value for r in row) for value in (4, 2, 1, 3)] for row in EXAMPLE], dtype=float)
    scale = np.array([4.0, 2.0, 1.0, 3.0])
    assert alpha_of_counts(counts, scale, level) == pytest.approx(krippendorff_alpha(EXAMPLE, level))
