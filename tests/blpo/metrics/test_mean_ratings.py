"""Metrics against means of raters: scipy gives the same numbers, and the paired test keeps its level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from blpo.metrics.agreement import metrics, value
from blpo.metrics.mean_ratings import correlations
from blpo.metrics.significance import compare_prompts
from state.settings import TaskSettings
from state.verdict import Verdict

TASK = TaskSettings(min=1, max=5, round="none")
ROWS = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from([1.0, 1.25, 2.5, 3.75, 4.0, 5.0])), min_size=4, max_size=40
).filter(lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True)))


def answered(labels: list[int]) -> list[Verdict]:
    return [Verdict(str(place), "ok", label) for place, label in enumerate(labels)]


@given(ROWS)
def test_correlations_are_those_of_scipy(rows: list[tuple[int, float]]) -> None:
    answers, means = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    ones = np.ones((2, len(rows)))
    for metric, function in (("pearson", pearsonr), ("spearman", spearmanr)):
        expected = function(answers, means).statistic
        assert correlations(answers, means, ones, metric) == pytest.approx([expected] * 2, abs=1e-9)
        assert correlations(np.stack([answers, answers]), means, ones, metric) == pytest.approx(
            [expected] * 2, abs=1e-9
        )


@given(ROWS, st.randoms(use_true_random=False))
def test_a_weight_is_a_count_of_samples(rows: list[tuple[int, float]], generator: np.random.Generator) -> None:
    weights = [generator.randint(0, 3) for _ in rows]  # type: ignore[attr-defined]  # a random.Random
    repeated = [row for row, weight in zip(rows, weights, strict=True) for _ in range(weight)]
    if any(len(set(column)) < 2 for column in zip(*repeated, strict=True)) or not repeated:
        return
    answers, means = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    for metric, function in (("pearson", pearsonr), ("spearman", spearmanr)):
        of_rows = [row[0] for row in repeated], [row[1] for row in repeated]
        expected = function(*of_rows).statistic
        row = np.array([weights], dtype=float)
        assert correlations(answers, means, row, metric)[0] == pytest.approx(expected, abs=1e-9)


def test_mae_and_correlations_compare_with_the_means_and_classes_with_the_nearest_rating() -> None:
    verdicts = [*answered([1, 2, 4, 5]), Verdict("4", "refused", None), Verdict("5", "error", None)]
    measured = metrics(verdicts, [1, 3, 4, 5, 2, 1], TASK, ratings=[1.25, 2.5, 3.5, None, 2.25, 1.4])
    assert measured["accuracy"] == 0.75 and measured["strict"]["accuracy"] == 0.6
    assert measured["mae"] == pytest.approx((0.25 + 0.5 + 0.5 + 0) / 4)
    assert measured["strict"]["mae"] == pytest.approx((0.25 + 0.5 + 0.5 + 0 + 4) / 5)
    assert measured["pearson"] == pytest.approx(pearsonr([1, 2, 4, 5], [1.25, 2.5, 3.5, 5]).statistic)
    assert measured["strict"]["spearman"] == pytest.approx(
        spearmanr([1, 2, 4, 5, 5], [1.25, 2.5, 3.5, 5, 2.25]).statistic
    )
    whole = metrics(verdicts, [1, 3, 4, 5, 2, 1], TASK, ratings=[None] * 6)
    assert whole == metrics(verdicts, [1, 3, 4, 5, 2, 1], TASK)


def test_constant_answers_have_no_correlation_and_say_why() -> None:
    measured = metrics(answered([3, 3, 3]), [2, 3, 4], TASK, ratings=[2.25, 3.25, None])
    assert measured["pearson"] is None and measured["undefined"]["spearman"] == "all verdicts are one label"
    assert measured["mae"] == pytest.approx((0.75 + 0.25 + 1) / 3)


def drawn(size: int, seed: int, *, noise: tuple[float, float]) -> tuple[list[float], list[int], list[int], list[int]]:
    generator = np.random.default_rng(seed)
    means = generator.uniform(1, 5, size)
    old, new = ((means + generator.normal(0, spread, size)).round().clip(1, 5).astype(int) for spread in noise)
    return means.tolist(), means.round().astype(int).tolist(), old.tolist(), new.tolist()


@pytest.mark.parametrize("metric", ["pearson", "spearman"])
def test_a_better_prompt_is_found_and_its_interval_holds_the_difference(metric: str) -> None:
    means, labels, old, new = drawn(120, 1, noise=(2.0, 0.5))
    arguments = (answered(old), answered(new), labels, TASK, metric, 0)
    p_value, (low, high) = compare_prompts(*arguments, ratings=means)
    before, after = (value(metrics(answered(side), labels, TASK, ratings=means), metric) for side in (old, new))
    assert p_value < 0.001 and 0 < low < after - before < high
    assert compare_prompts(*arguments, ratings=means) == (p_value, (low, high))


@pytest.mark.slow
def test_the_null_is_rejected_at_its_level() -> None:
    p_values = []
    for seed in range(120):
        means, labels, old, new = drawn(30, seed, noise=(1.0, 1.0))
        groups = [f"g{place // 2}" for place in range(30)]
        p_values.append(compare_prompts(answered(old), answered(new), labels, TASK, "pearson", seed, groups, means)[0])
    assert np.mean(np.array(p_values) < 0.05) <= 0.1 and 0.35 < np.mean(p_values) < 0.65


def test_few_groups_are_tested_exactly() -> None:
    means, labels = [1.5, 2.5, 3.5, 4.5], [2, 3, 4, 5]
    p_value, (low, high) = compare_prompts(
        answered([2, 4, 3, 5]), answered([2, 3, 4, 5]), labels, TASK, "spearman", 0, ["a", "b", "b", "c"], means
    )
    assert p_value == 1.0 and low <= high
