"""Planted biases of simulated judges: the benchmark in small."""

import pytest

from benchmarks.planted_biases import PLANTED, UNBIASED, Planted, reports, share_covered

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_most_intervals_of_a_probe_cover_a_planted_bias(planted: Planted) -> None:
    assert share_covered(planted, 30, 50) >= 0.8


@pytest.mark.parametrize("judge", UNBIASED[1:], ids=lambda judge: judge.name)
def test_an_unbiased_judge_is_rarely_called_biased(judge: Planted) -> None:
    single, whole = reports(judge, 10, 50)
    assert max(single.values()) <= 0.3 and whole <= 0.2
