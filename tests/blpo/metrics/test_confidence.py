"""Quality and calibration of confidences against scikit-learn, brute force and planted values."""

from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import mean_squared_error, roc_auc_score

from blpo.metrics.confidence import (
    bins,
    confidence_quality,
    coverage_curve,
    expected_rating,
    rating_quality,
    risks_by_rank,
)
from blpo.metrics.confidence_map import ConfidenceMap, choose_map, fit_map

confidence = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)
rows = st.lists(st.tuples(confidence, st.booleans()), min_size=1, max_size=40)


@settings(max_examples=30)
@given(rows)
def test_quality_is_that_of_scikit_learn_and_of_a_hand_computation(rows: list[tuple[float, bool]]) -> None:
    values, right = [row[0] for row in rows], [row[1] for row in rows]
    quality = confidence_quality(values, right)
    assert quality is not None
    assert quality.brier == pytest.approx(mean_squared_error(np.array(right, dtype=float), values))
    if len(set(right)) == 2:
        assert quality.auroc == pytest.approx(roc_auc_score(right, values))
    else:
        assert quality.auroc is None
    total = 0.0
    for place in range(10):
        own = [row for row in rows if place / 10 < row[0] <= (place + 1) / 10 or (place == 0 and row[0] == 0)]
        if own:
            total += abs(sum(row[0] for row in own) - sum(row[1] for row in own))
    assert quality.ece == pytest.approx(total / len(rows), abs=1e-9)
    assert sum(each.samples for each in bins(values, right)) == len(rows)
    curve = coverage_curve(values, right)
    assert curve[-1].coverage == 1.0
    for point in curve:
        own_right = [row[1] for row in rows if row[0] >= point.threshold]
        assert point.coverage == pytest.approx(len(own_right) / len(rows))
        assert point.agreement == pytest.approx(sum(own_right) / len(own_right))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=6))
def test_risks_are_means_over_all_orders_of_equal_confidences(rows: list[tuple[float, bool]]) -> None:
    orders = [order for order in permutations(rows) if list(order) == sorted(order, key=lambda row: -row[0])]
    risks = [[sum(not row[1] for row in order[:k]) / k for k in range(1, len(rows) + 1)] for order in orders]
    expected = np.mean(risks, axis=0)
    assert risks_by_rank([row[0] for row in rows], [row[1] for row in rows]) == pytest.approx(expected)


def test_the_calibration_error_of_many_answers_is_the_planted_one() -> None:
    generator = np.random.default_rng(0)
    values = generator.uniform(size=20_000)
    for shift in (0.0, 0.1, 0.25):  # right less often than the confidence says
        right = generator.uniform(size=values.size) < np.clip(values - shift, 0, 1)
        planted = float(np.mean(values - np.clip(values - shift, 0, 1)))
        quality = confidence_quality(list(values), list(right))
        assert quality is not None and quality.ece == pytest.approx(planted, abs=0.01)


@settings(max_examples=10)
@given(st.lists(st.tuples(confidence, st.booleans()), min_size=2, max_size=40), st.lists(confidence, max_size=9))
def test_maps_never_fall_and_stay_in_bounds(rows: list[tuple[float, bool]], new: list[float]) -> None:
    values, right = [row[0] for row in rows], [row[1] for row in rows]
    for method in ("none", "platt", "isotonic"):
        mapped = fit_map(method, values, right)(sorted(new))
        assert all(0 <= each <= 1 for each in mapped)
        assert all(low <= high + 1e-12 for low, high in pairwise(mapped))
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(values, right)
    assert fit_map("isotonic", values, right)(new) == pytest.approx(model.predict(new) if new else [])


def planted(shape: str, size: int, seed: int) -> tuple[list[float], list[bool]]:
    """Return confidences and truths of a judge that is too sure (a logistic curve, or steps), or honest."""
    generator = np.random.default_rng(seed)
    values = generator.beta(6, 1.2, size)
    odds = np.log(values / (1 - values))
    truth: Any = {
        "curve": 1 / (1 + np.exp(-(0.4 * odds - 0.3))),
        "steps": np.where(values > 0.9, 0.95, np.where(values > 0.8, 0.3, 0.25)),
        "honest": values,
    }[shape]
    return list(values), [bool(each) for each in generator.uniform(size=size) < truth]


def test_the_map_that_helps_is_chosen_and_none_where_none_helps() -> None:
    chosen = {shape: choose_map(*planted(shape, 800, 1), [None] * 800).map.method for shape in ("curve", "steps")}
    assert chosen == {"curve": "platt", "steps": "isotonic"}
    honest = [choose_map(*planted("honest", 200, seed), [None] * 200).map.method for seed in range(4)]
    assert honest.count("none") >= 3
    values, right = planted("curve", 1000, 3)
    better = choose_map(values, right, [None] * 1000).map(values)
    plain, mapped = (confidence_quality(each, right) for each in (values, list(better)))
    assert plain is not None and mapped is not None
    assert mapped.ece < 0.04 < plain.ece
    assert mapped.auroc == pytest.approx(plain.auroc)


def test_few_groups_or_one_class_choose_no_map() -> None:
    values, right = planted("steps", 300, 0)
    groups = [str(number % 19) for number in range(300)]
    assert choose_map(values, right, groups).map == ConfidenceMap()
    assert choose_map(values, [True] * 300, [None] * 300).map == ConfidenceMap()
    assert choose_map(values, right, [None] * 300) == choose_map(values, right, [None] * 300)


def test_a_group_is_never_divided_between_fit_and_score() -> None:
    # every group is right or wrong as a whole and has its own confidence: divided groups would be learned by heart
    generator = np.random.default_rng(2)
    truths, places = generator.uniform(size=60) < 0.5, generator.uniform(size=60)
    values, right = list(np.repeat(places, 10)), [bool(truth) for truth in np.repeat(truths, 10)]
    grouped = choose_map(values, right, [str(n // 10) for n in range(600)])
    alone = choose_map(values, right, [None] * 600)
    assert alone.brier["isotonic"] < grouped.brier["isotonic"]


def test_ratings_by_probability() -> None:
    assert expected_rating({1: 0.25, 5: 0.75}) == 4.0
    quality = rating_quality([1.0, 2.5, 4.0], [1, 3, 5])
    assert quality is not None and quality.mae == 0.5 and quality.spearman == pytest.approx(1)
    assert rating_quality([2.0, 2.0], [1, 3]) is not None
    assert rating_quality([], []) is None and confidence_quality([], []) is None
