"""Rankings as labels, and the agreement of two rankings."""

import json
import math
from itertools import combinations, permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import kendalltau
from sklearn.metrics import ndcg_score

from blpo.metrics.rankings import (
    bradley_terry,
    chance_value,
    list_means,
    ndcg,
    strengths_as_ranks,
    tau_b,
    top_1,
)
from state.ranking import (
    MOST_IMAGES,
    agrees,
    label_of_permutation,
    permutation_of,
    ranking_label,
    ranks_of,
    renumbered,
    reversed_ranking,
)
from state.settings import RANKING_METRICS
from tests.public_sources import SCHEMAS

REAL_LISTS = SCHEMAS / "imagereward" / "test.json"

values = st.lists(st.integers(-3, 3), min_size=2, max_size=MOST_IMAGES)
shuffles = values.flatmap(lambda ranks: st.tuples(st.just(ranks), st.permutations(range(1, len(ranks) + 1))))


@pytest.mark.parametrize(
    ("ranks", "label"),
    [((2, 1, 2), "2>1=3"), ((1, 2, 3), "1>2>3"), ((4.5, 4.5), "1=2"), ((-3, 7, 7, 0), "1>4>2=3"), ((9, 1), "2>1")],
)
def test_a_label_lists_the_best_image_first(ranks: tuple[float, ...], label: str) -> None:
    assert ranking_label(ranks) == label


@given(values)
def test_labels_hold_the_order_and_nothing_else(ranks: list[int]) -> None:
    label = ranking_label(ranks)
    dense = ranks_of(label)
    assert ranking_label(dense) == label == ranking_label([10 * rank + 4 for rank in ranks])
    assert [ranks[i - 1] for i in permutation_of(label)] == sorted(ranks)
    for (one, first), (other, second) in combinations(zip(ranks, dense, strict=True), 2):
        assert (one < other, one == other) == (first < second, first == second)


@pytest.mark.parametrize("text", ["", "1", "1>1", "2>3", "1=2>2", "3=1>2", "0>1", "1>2>", "1 > 2", "1>2>4", "a>b"])
def test_other_texts_are_no_rankings(text: str) -> None:
    with pytest.raises(ValueError, match="is no ranking, such as 2>1=3"):
        ranks_of(text)


@given(shuffles)
def test_an_answer_about_shuffled_images_is_renumbered(case: tuple[list[int], list[int]]) -> None:
    ranks, places = case
    assert renumbered(ranking_label([ranks[place - 1] for place in places]), places) == ranking_label(ranks)


def test_renumbering_needs_a_place_for_every_image() -> None:
    assert renumbered("1>2>3", (3, 1, 2)) == "3>1>2"
    with pytest.raises(ValueError, match="ranks 3 images, not 2"):
        renumbered("1>2>3", (2, 1))


@given(shuffles)
def test_tau_b_is_that_of_scipy_and_ndcg_that_of_scikit_learn(case: tuple[list[int], list[int]]) -> None:
    ranks, answer = case
    label, verdict = ranking_label(ranks), label_of_permutation(answer)
    scores = [-answer.index(place) for place in range(1, len(ranks) + 1)]
    expected = kendalltau([-rank for rank in ranks], scores).statistic
    assert tau_b(label, verdict) == pytest.approx(float(expected), nan_ok=True)
    if len(set(ranks)) == 1:
        assert math.isnan(ndcg(label, verdict)) and top_1(label, verdict) == 1.0
        return
    gains = [sum(level > rank for level in set(ranks)) for rank in ranks]
    assert ndcg(label, verdict) == pytest.approx(float(ndcg_score([gains], [scores])))
    assert top_1(label, verdict) == float(ranks[answer[0] - 1] == min(ranks))


@given(shuffles)
def test_a_reversed_ranking_is_the_farthest(case: tuple[list[int], list[int]]) -> None:
    ranks, answer = case
    label, verdict = ranking_label(ranks), label_of_permutation(answer)
    assert reversed_ranking(reversed_ranking(label)) == label
    if len(set(ranks)) > 1:
        assert tau_b(label, reversed_ranking(label)) == pytest.approx(-1) and top_1(label, reversed_ranking(label)) == 0
        assert ndcg(label, reversed_ranking(label)) <= ndcg(label, verdict) + 1e-12
        assert agrees(verdict, label) == (tau_b(label, verdict) >= _best(ranks) - 1e-12)


def _best(ranks: list[int]) -> float:
    return tau_b(ranking_label(ranks), label_of_permutation(permutation_of(ranking_label(ranks))))


def test_images_that_people_find_equal_may_stand_anyhow() -> None:
    assert all(agrees(answer, "2>1=3") for answer in ("2>1>3", "2>3>1"))
    assert not agrees("1>2>3", "2>1=3")
    assert not agrees("1=2", "1>2")


def test_an_answer_with_all_images_equal_shows_no_agreement() -> None:
    assert tau_b("2>1=3", "1=2=3") == 0.0
    assert math.isnan(tau_b("1=2=3", "2>1>3")) and math.isnan(tau_b("1=2=3", "1=2=3"))


def test_other_labels_agree_if_they_are_equal() -> None:
    assert all(agrees(label, label) for label in (3, "safe", "1>2"))
    assert not any(
        agrees(answer, label) for answer, label in [(3, 4), ("safe", "unsafe"), (None, "1>2"), ("1>2", "1>2>3")]
    )


@pytest.mark.skipif(not REAL_LISTS.exists(), reason="needs the real rankings")
@pytest.mark.parametrize("ranker", ["as given", "reversed", "shuffled", "by path", "people"])
def test_tau_on_real_lists_is_that_of_scipy_for_scripted_rankers(ranker: str) -> None:
    rows = json.loads(REAL_LISTS.read_text(encoding="utf-8"))
    taus, expected = [], []
    for row in rows:
        places = list(range(1, len(row["generations"]) + 1))
        answer = {
            "as given": places,
            "reversed": places[::-1],
            "shuffled": Random(row["id"]).sample(places, len(places)),
            "by path": sorted(places, key=lambda place: row["generations"][place - 1]),
            "people": sorted(places, key=lambda place: row["ranking"][place - 1]),
        }[ranker]
        taus.append(tau_b(ranking_label(row["ranking"]), label_of_permutation(answer)))
        expected.append(float(kendalltau(row["ranking"], [answer.index(place) for place in places]).statistic))
    assert len(taus) == 466
    np.testing.assert_allclose(taus, expected, atol=1e-12)


def test_a_metric_of_many_lists_is_the_mean() -> None:
    values = list_means(["1>2>3", "2>1=3"], ["2>1>3", "2>1>3"])
    assert list(values) == list(RANKING_METRICS)
    assert values["kendall_tau_b"] == pytest.approx((1 / 3 + tau_b("2>1=3", "2>1>3")) / 2)
    assert values["top_1"] == 0.5
    assert all(map(math.isnan, list_means([], []).values()))


@pytest.mark.parametrize("label", ["1>2", "3>1=2", "2=3>1>4", "1>2=3>4"])
def test_chance_is_the_mean_over_all_permutations(label: str) -> None:
    answers = [label_of_permutation(order) for order in permutations(permutation_of(label))]
    for metric, value in list_means([label] * len(answers), answers).items():
        assert chance_value([label], metric) == pytest.approx(value, abs=1e-12)
    assert chance_value([], "ndcg") is None


def test_strengths_are_the_most_likely_ones() -> None:
    generator = Random(5)
    games = [(i, j, generator.choice((0.0, 0.5, 1.0))) for i, j in combinations(range(5), 2) for _ in range(3)]

    def unlikelihood(logs: np.ndarray) -> float:
        played = sum(share * np.log1p(np.exp(logs[j] - logs[i])) + (1 - share) * np.log1p(np.exp(logs[i] - logs[j]))
                     for i, j, share in games)  # fmt: skip
        return float(played + 0.5 * (np.log1p(np.exp(logs)) + np.log1p(np.exp(-logs))).sum())

    best = minimize(unlikelihood, np.zeros(5), tol=1e-12).x
    assert np.log(bradley_terry(5, games)) == pytest.approx(best - best.mean(), abs=1e-4)


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_strengths_follow_consistent_wins_and_ties_are_equal(order: tuple[int, ...]) -> None:
    games = [(first, second, 1.0) for first, second in combinations(order, 2)]
    ranks = strengths_as_ranks(bradley_terry(3, games))
    assert ranking_label(ranks) == label_of_permutation(place + 1 for place in order)
    assert ranking_label(strengths_as_ranks(bradley_terry(3, [(0, 1, 0.5), (1, 2, 0.5)]))) == "1=2=3"
    assert bradley_terry(0, []) == []
