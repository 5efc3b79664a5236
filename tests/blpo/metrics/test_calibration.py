"""Error rates of test and interval: the short form of `python -m benchmarks.calibration`."""

import pytest

from benchmarks.calibration import SETTINGS, Setting, draw, rates, sign_flips
from blpo.metrics.significance import compare_prompts

pytestmark = pytest.mark.slow

DRAWS = 120


@pytest.mark.parametrize("setting", [*SETTINGS[:3], SETTINGS[4]], ids=str)
def test_without_a_difference_few_tests_reject_and_most_intervals_hold_it(setting: Setting) -> None:
    """Bounds: those of the benchmark, and three standard errors of 120 draws."""
    result = rates(setting, "accuracy", DRAWS)
    assert result.rejected <= 0.06 + 0.06
    assert abs(result.rejected - result.by_sign_flips) <= 0.03
    assert result.covered >= 0.92 - 0.06


@pytest.mark.parametrize("metric", ["macro_f1", "quadratic_kappa"])
def test_the_interval_of_a_difference_in_groups_holds_the_truth(metric: str) -> None:
    result = rates(SETTINGS[7], metric, 60)
    assert result.covered >= 0.92 - 0.1
    assert result.rejected > 0.2


@pytest.mark.parametrize("seed", range(8))
def test_the_test_of_groups_is_the_flip_of_their_signs(seed: int) -> None:
    split = draw(Setting(20, 5, 0.5), seed)
    task = Setting(20, 5, 0.5).task
    p_value, _ = compare_prompts(split.first, split.second, split.human, task, "accuracy", seed, split.groups)
    assert p_value == pytest.approx(sign_flips(split, seed), abs=0.05)
