"""Guaranteed agreement: bounds against brute force, and the guarantee in simulation."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from benchmarks.guaranteed_agreement import flat_violations, simulate
from blpo.metrics.guarantee import agreement_bound, fewest_samples, trust_threshold

TARGET, DELTA, DRAWS = 0.9, 0.05, 150
MOST = DELTA + 3 * math.sqrt(DELTA * (1 - DELTA) / DRAWS)


@settings(max_examples=30)
@given(st.integers(1, 80), st.data(), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_bound_is_where_so_few_errors_have_the_probability_delta(n: int, data: st.DataObject, delta: float) -> None:
    wrong = data.draw(st.integers(0, n))
    bound = agreement_bound(n, wrong, delta)
    if wrong < n:
        assert binom.cdf(wrong, n, 1 - bound) == pytest.approx(delta)
    else:
        assert bound == 0.0


@pytest.mark.parametrize(
    ("target", "delta", "fewest"), [(0.9, 0.05, 29), (0.9, 0.1, 22), (0.95, 0.05, 59), (0.5, 0.5, 1)]
)
def test_the_fewest_samples_pass_without_an_error_and_one_fewer_never_does(
    target: float, delta: float, fewest: int
) -> None:
    assert fewest_samples(target, delta) == fewest
    threshold = trust_threshold([0.5] * fewest, [True] * fewest, target, delta)
    assert threshold is not None and (threshold.trusted, threshold.wrong) == (fewest, 0)
    assert agreement_bound(fewest - 1, 0, delta) < target
    assert trust_threshold([0.5] * (fewest - 1), [True] * (fewest - 1), target, delta) is None


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([0.2, 0.6, 0.9, 0.99]), st.booleans()), max_size=120), st.floats(0.3, 0.9))
def test_what_is_trusted_is_what_passes(rows: list[tuple[float, bool]], target: float) -> None:
    threshold = trust_threshold([row[0] for row in rows], [row[1] for row in rows], target, 0.1)
    if threshold is not None:
        trusted = [row[1] for row in rows if row[0] >= threshold.confidence]
        assert (threshold.samples, threshold.trusted, threshold.wrong) == (
            len(rows),
            len(trusted),
            trusted.count(False),
        )
        assert target - 1e-9 <= threshold.agreement_bound <= 1 - threshold.wrong / threshold.trusted


def test_thresholds_fall_until_one_does_not_pass() -> None:
    confidences = [1 - place / 200 for place in range(200)]
    right = [place < 120 for place in range(200)]  # the 120 surest are right, all others wrong
    threshold = trust_threshold(confidences, right, 0.9, 0.05)
    assert threshold is not None and threshold.trusted == 120  # at 130, 10 are wrong
    assert trust_threshold(confidences, right[::-1], 0.9, 0.05) is None


def test_the_choice_of_the_best_of_ten_prompts_breaks_no_guarantee() -> None:
    outcomes = [simulate(DRAWS, samples, TARGET, DELTA) for samples in (30, 120)]
    assert all(outcome.rate <= MOST for outcome in outcomes)
    assert all(flat_violations(DRAWS, samples, TARGET, DELTA, seed=1) <= MOST for samples in (29, 100))
    on_validation = simulate(DRAWS, 30, TARGET, DELTA, on_validation=True)
    assert on_validation.rate > MOST  # the samples that chose the prompt flatter it


def test_coverage_shrinks_as_the_target_rises() -> None:
    coverages = [simulate(25, 200, target, DELTA, around=0.9).coverage for target in (0.7, 0.85, 0.95)]
    assert coverages[0] > coverages[1] > coverages[2]
