"""The paired test and the interval: against scikit-learn, against scipy, and under the null hypothesis."""

import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap, kendalltau, pearsonr, permutation_test, spearmanr
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, matthews_corrcoef, recall_score

from blpo.metrics.confusion import metric_values
from blpo.metrics.significance import compare_prompts, metric_interval
from state.sample import Label
from state.settings import NOMINAL_METRICS, ORDINAL_METRICS, TaskSettings
from state.verdict import Verdict

RATING = TaskSettings(kind="ordinal", min=1, max=5)
BINARY = TaskSettings(kind="categorical", labels=("no", "yes"))
METRICS = (*NOMINAL_METRICS, *ORDINAL_METRICS, "f1.2")

Row = tuple[int, int, int]
"""Human label, initial answer, best answer."""
rating = st.integers(1, 5)
rows_of_ratings = st.lists(st.tuples(rating, rating, rating), min_size=1, max_size=30)


def answered(labels: Sequence[Label | None]) -> list[Verdict]:
    return [Verdict(str(i), "refused" if label is None else "ok", label) for i, label in enumerate(labels)]


def compare_rows(
    rows: Sequence[Row], metric: str, task: TaskSettings = RATING, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    human, old, new = ([row[i] for row in rows] for i in range(3))
    return compare_prompts(answered(old), answered(new), human, task, metric, seed)


def simulated(n: int, accuracy_old: float, accuracy_new: float, seed: int, top: int = 5) -> list[Row]:
    generator = np.random.default_rng(seed)
    human = generator.integers(1, top + 1, n)
    old, new = (
        np.where(generator.random(n) < accuracy, human, generator.integers(1, top + 1, n))
        for accuracy in (accuracy_old, accuracy_new)
    )
    return [(int(h), int(a), int(b)) for h, a, b in zip(human, old, new, strict=True)]


def difference(human: Any, old: Any, new: Any, metric: str) -> float:
    """Return metric(new) - metric(old) by scikit-learn and scipy."""
    return by_scikit_learn(human, new, metric) - by_scikit_learn(human, old, metric)


def by_scikit_learn(human: Any, predicted: Any, metric: str) -> float:
    labels, several = np.unique(human), len(np.unique([human, predicted])) > 1
    varied = len(labels) > 1 and len(np.unique(predicted)) > 1
    match metric:
        case "accuracy":
            return float(accuracy_score(human, predicted))
        case "balanced_accuracy":
            return float(recall_score(human, predicted, labels=labels, average="macro", zero_division=0.0))
        case "macro_f1":
            return float(f1_score(human, predicted, labels=labels, average="macro", zero_division=0.0))
        case "spearman":
            return float(spearmanr(human, predicted).statistic) if varied else 0.0
        case "kendall_tau_b":
            return float(kendalltau(human, predicted).statistic) if varied else 0.0
        case "pearson":
            return float(pearsonr(human, predicted).statistic) if varied else 0.0
        case "mcc":
            return float(matthews_corrcoef(human, predicted)) if several else 0.0
        case "f1.2":
            return float(f1_score(human, predicted, labels=[2], average="macro", zero_division=0.0))
    weights = "quadratic" if metric == "quadratic_kappa" else None
    return float(cohen_kappa_score(human, predicted, labels=range(1, 6), weights=weights)) if several else 0.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=25, max_size=25), min_size=1, max_size=2))
def test_metrics_of_confusion_matrices_are_those_of_scikit_learn(matrices: list[list[int]]) -> None:
    counts = np.array(matrices, dtype=float).reshape(-1, 5, 5)
    scale = np.arange(1, 6, dtype=float)
    for metric in METRICS:
        name, place = ("f1", 1) if metric == "f1.2" else (metric, None)
        values = metric_values(counts, name, scale, place)
        assert values.shape == (len(counts),)
        for matrix, number in zip(counts, values, strict=True):
            human, predicted = np.repeat(list(np.ndindex(5, 5)), matrix.astype(int).ravel(), axis=0).T + 1
            expected = by_scikit_learn(human, predicted, metric) if len(human) else 0.0
            assert number == pytest.approx(expected, abs=1e-9)


def scipy_p_value(rows: list[Row], metric: str, permutations: int) -> float:
    human, old, new = np.array(rows, dtype=float).T
    test = permutation_test(
        (old, new),
        lambda a, b: difference(human, a, b, metric),
        permutation_type="samples",
        vectorized=False,
        n_resamples=permutations,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


@pytest.mark.parametrize("metric", METRICS)
def test_few_disagreements_are_enumerated_as_scipy_does(metric: str) -> None:
    rows = simulated(7, 0.2, 0.7, seed=METRICS.index(metric))
    expected = scipy_p_value(rows, metric, 1000)  # more than the possible permutations, so scipy enumerates all
    assert compare_rows(rows, metric)[0] == pytest.approx(min(1.0, expected))


@pytest.mark.parametrize("metric", ["macro_f1", "quadratic_kappa"])
def test_many_disagreements_are_sampled_with_the_same_distribution(metric: str) -> None:
    rows = simulated(120, 0.4, 0.52, seed=5)
    assert compare_rows(rows, metric)[0] == pytest.approx(scipy_p_value(rows, metric, 250), abs=0.08)


@settings(max_examples=25, deadline=None)
@given(rows_of_ratings)
def test_for_accuracy_the_test_is_mcnemars(rows: list[Row]) -> None:
    gained = sum(old != human == new for human, old, new in rows)
    lost = sum(old == human != new for human, old, new in rows)
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert compare_rows(rows, "accuracy")[0] == pytest.approx(expected)


def test_the_interval_is_scipys_percentile_bootstrap() -> None:
    rows = simulated(80, 0.35, 0.6, seed=3)
    human, old, new = np.array(rows, dtype=float).T
    expected = bootstrap(
        (human, old, new),
        lambda h, a, b: difference(h, a, b, "macro_f1"),
        paired=True,
        vectorized=False,
        n_resamples=250,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    low, high = compare_rows(rows, "macro_f1")[1]
    assert low == pytest.approx(expected.low, abs=0.05)
    assert high == pytest.approx(expected.high, abs=0.05)


@settings(max_examples=15, deadline=None)
@given(rows_of_ratings, st.sampled_from(METRICS), st.integers(-5, 5), st.randoms(use_true_random=False))
def test_neither_order_nor_direction_nor_repetition_matters(
    rows: list[Row], metric: str, seed: int, generator: random.Random
) -> None:
    p_value, (low, high) = compare_rows(rows, metric, seed=seed)
    assert 0.0 < p_value <= 1.0
    assert -2.0 <= low <= high <= 2.0
    assert compare_rows(generator.sample(rows, len(rows)), metric, seed=seed) == (p_value, (low, high))
    back, (back_low, back_high) = compare_rows([(h, new, old) for h, old, new in rows], metric, seed=seed)
    assert back == pytest.approx(p_value, abs=1e-12)
    assert (-back_high, -back_low) == pytest.approx((low, high), abs=0.25)


@given(st.lists(st.tuples(rating, rating)), st.sampled_from(METRICS))
@settings(max_examples=25, deadline=None)
def test_identical_answers_differ_in_nothing(pairs: list[tuple[int, int]], metric: str) -> None:
    assert compare_rows([(human, answer, answer) for human, answer in pairs], metric) == (1.0, (0.0, 0.0))


def test_failures_count_as_wrong_and_errors_leave_the_pair() -> None:
    rows = simulated(40, 0.3, 0.7, seed=1)
    human, old, new = ([row[i] for row in rows] for i in range(3))
    outages = [Verdict("x", "error", None)] * 2
    more = compare_prompts(
        [*answered(old), *answered([None, 2, None]), *outages],
        [*answered(new), *answered([1, None, None]), *answered([3, 4])],
        [*human, 1, 2, 3, 4, 5],
        RATING,
        "macro_f1",
        0,
    )
    counted = [*rows, (1, 5, 1), (2, 2, 5), (3, 1, 1)]  # a failure is the label farthest from the human label
    assert more == compare_rows(counted, "macro_f1")
    nothing = compare_prompts(outages, answered([3, 4]), [3, 4], RATING, "kappa", 0)
    assert nothing == (1.0, (0.0, 0.0))


@pytest.mark.parametrize("metric", METRICS)
def test_a_real_gain_is_found_and_its_interval_is_above_zero(metric: str) -> None:
    p_value, (low, high) = compare_rows(simulated(200, 0.2, 0.7, seed=2), metric)
    assert p_value < 0.001
    assert 0.0 < low < high


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["macro_f1", "spearman"])
def test_the_null_hypothesis_is_rejected_about_as_often_as_promised(metric: str) -> None:
    """Bounds: five standard errors around 5 % in 150 simulated comparisons of equally good prompts."""
    values = [compare_rows(simulated(24, 0.5, 0.5, seed, top=3), metric)[0] for seed in range(150)]
    assert sum(p <= 0.05 for p in values) / 150 <= 0.05 + 5 * (0.05 * 0.95 / 150) ** 0.5
    assert 0.35 <= float(np.median(values)) <= 0.75


def test_the_interval_covers_the_true_difference() -> None:
    """The answers are right independently with probability 0.4 and 0.6: the true difference in accuracy is 0.2."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(150):
        old, new = (np.where(generator.random(60) < accuracy, "yes", "no").tolist() for accuracy in (0.4, 0.6))
        _, (low, high) = compare_prompts(answered(old), answered(new), ["yes"] * 60, BINARY, "accuracy", 0)
        covered += low <= 0.2 <= high
    assert 0.88 <= covered / 150 <= 0.99


Grouped = tuple[str, Row]
"""Group and answers of a sample."""


def compare_groups(rows: Sequence[Grouped], metric: str, task: TaskSettings = RATING) -> Any:
    human, old, new = ([row[i] for _, row in rows] for i in range(3))
    groups = [group for group, _ in rows]
    return compare_prompts(answered(old), answered(new), human, task, metric, 0, groups)


def grouped(groups: int, size: int, seed: int, gain: float = 0.0) -> list[Grouped]:
    """Return groups whose samples are right or wrong together, under either prompt."""
    generator = np.random.default_rng(seed)
    rows: list[Grouped] = []
    for group in range(groups):
        human = int(generator.integers(1, 3))
        old, new = (human if generator.random() < share else 3 - human for share in (0.5, 0.5 + gain))
        rows += [(f"g{group}", (human, old, new))] * size
    return rows


def swapped(rows: Sequence[Grouped], metric: str) -> float:
    """Return the p-value over all swaps of whole groups, counted one by one with scikit-learn."""
    names = sorted({group for group, _ in rows})
    outcomes = []
    for swap in range(2 ** len(names)):
        sides = [
            (label, after, before) if swap >> names.index(group) & 1 else (label, before, after)
            for group, (label, before, after) in rows
        ]
        human, old, new = np.array(sides).T
        outcomes.append(difference(human, old, new, metric))
    return float(np.mean(np.abs(outcomes) >= abs(outcomes[0]) - 1e-9))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_the_test_swaps_whole_groups(metric: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = [(f"g{generator.integers(6)}", row) for row in simulated(14, 0.2, 0.6, seed)]
    assert compare_groups(rows, metric)[0] == pytest.approx(swapped(rows, metric))


@settings(max_examples=20, deadline=None)
@given(rows_of_ratings, st.sampled_from(METRICS))
def test_groups_of_one_give_the_numbers_of_samples(rows: list[Row], metric: str) -> None:
    assert compare_groups([(f"g{i}", row) for i, row in enumerate(rows)], metric) == compare_rows(rows, metric)


@settings(max_examples=20, deadline=None)
@given(rows_of_ratings, st.sampled_from(METRICS), st.randoms(use_true_random=False))
def test_the_order_of_grouped_samples_plays_no_part(rows: list[Row], metric: str, generator: random.Random) -> None:
    named = [(f"g{generator.randrange(4)}", row) for row in rows]
    assert compare_groups(generator.sample(named, len(named)), metric) == compare_groups(named, metric)


def test_copies_of_samples_in_groups_add_no_evidence() -> None:
    once, copied = grouped(30, 1, seed=4, gain=0.3), grouped(30, 5, seed=4, gain=0.3)
    for metric in ("macro_f1", "kappa"):
        p_value, ends = compare_groups(copied, metric)
        expected, expected_ends = compare_groups(once, metric)
        assert p_value == pytest.approx(expected, abs=0.01)
        assert ends == pytest.approx(expected_ends, abs=0.02)


@pytest.mark.slow
def test_the_null_hypothesis_of_groups_is_rejected_about_as_often_as_promised() -> None:
    """Bound: five standard errors above 5 % in 200 comparisons. Swaps of samples reject some 25 %."""
    values = [compare_groups(grouped(20, 5, seed), "accuracy")[0] for seed in range(200)]
    assert sum(p <= 0.05 for p in values) / 200 <= 0.05 + 5 * (0.05 * 0.95 / 200) ** 0.5
    assert sum(p <= 0.05 for p in values) > 0


def test_the_interval_of_groups_covers_the_true_difference() -> None:
    """A group is right with probability 0.5 and 0.7: the true difference in accuracy is 0.2."""
    intervals = [compare_groups(grouped(40, 4, seed, gain=0.2), "accuracy")[1] for seed in range(150)]
    assert 0.88 <= sum(low <= 0.2 <= high for low, high in intervals) / 150 <= 0.99


def test_a_vanishing_probability_is_still_above_zero() -> None:
    old, new, human = answered(["no"] * 2000), answered(["yes"] * 2000), ["yes"] * 2000
    p_value, interval = compare_prompts(old, new, human, BINARY, "kappa", 0)
    assert p_value == pytest.approx(1.0)  # kappa of constant answers is 0 under the two prompts
    assert interval == (0.0, 0.0)
    p_value, _ = compare_prompts(old, new, human, BINARY, "macro_f1", 0)
    assert 0.0 < p_value < 1e-300


@pytest.mark.parametrize("metric", ["macro_f1", "quadratic_kappa"])
def test_two_thousand_samples_take_under_three_seconds(metric: str) -> None:
    rows = simulated(2000, 0.40, 0.43, seed=0)
    start = time.process_time()
    compare_rows(rows, metric)
    assert time.process_time() - start < 3.0


def test_labels_that_are_not_the_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels \['7'\] are not the task's: 1, 2, 3, 4, 5"):
        compare_rows([(1, 7, 2)], "kappa")


def test_the_interval_of_a_metric_is_scipys_for_many_samples() -> None:
    rows = simulated(400, 0.6, 0.6, seed=1)
    human, answers = ([row[i] for row in rows] for i in range(2))
    ours = metric_interval(answered(answers), human, RATING, "accuracy", 0)
    right = (np.array(human) == np.array(answers)).astype(float)
    theirs = bootstrap((right,), np.mean, method="percentile", random_state=0).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_the_interval_of_a_metric_is_wider_for_groups_and_needs_two() -> None:
    human, answers = [1, 2] * 100, [1, 1] * 100
    apart = metric_interval(answered(answers), human, RATING, "accuracy", 0)
    alike = metric_interval(answered(answers), [1] * 100 + [2] * 100, RATING, "accuracy", 0, ["a"] * 50 + ["b"] * 150)
    assert apart is not None and alike is not None
    assert alike[1] - alike[0] > apart[1] - apart[0]
    assert metric_interval(answered(answers), human, RATING, "accuracy", 0, ["a"] * 200) is None
    assert metric_interval([], [], RATING, "accuracy", 0) is None


def test_exchanged_answers_within_a_group_are_no_disagreement() -> None:
    old, new = answered(["no", "yes"]), answered(["yes", "no"])
    p_value, interval = compare_prompts(old, new, ["no", "no"], BINARY, "accuracy", 0, ["g", "g"])
    assert p_value == 1.0
    assert interval[0] <= 0 <= interval[1]
