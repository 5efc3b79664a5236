"""Loss, metrics, gain, tests and guessing of rankings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, sem, t

from blpo.metrics.agreement import farthest_label, metrics, value
from blpo.metrics.gain import paired_gain
from blpo.metrics.gate import parse_gates
from blpo.metrics.loss import loss, score
from blpo.metrics.rankings import LIST_METRICS, tau_b
from blpo.metrics.seed_comparison import PairedAnswer, compare_seeds
from blpo.metrics.significance import beyond_guessing, bootstrap_intervals, compare_prompts, metric_interval
from state.errors import ConfigError
from state.ranking import label_of_permutation, ranking_label
from state.sample import Sample
from state.settings import RANKING_METRICS, TaskSettings
from state.verdict import Status, Verdict

TASK = TaskSettings(kind="ranking", best="lowest")
METRICS = st.sampled_from(RANKING_METRICS)

lists = st.integers(2, 5).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(1, 3), min_size=size, max_size=size)
        .filter(lambda ranks: len(set(ranks)) > 1)
        .map(ranking_label),
        *[st.permutations(range(1, size + 1)).map(label_of_permutation)] * 2,
    )
)
many_lists = st.lists(lists, min_size=2, max_size=8)


def verdicts_of(answers: list[str | None], status: Status = "unparseable") -> list[Verdict]:
    return [Verdict(str(i), "ok" if answer else status, answer) for i, answer in enumerate(answers)]


@given(lists)
def test_the_loss_is_half_of_what_is_missing_to_full_agreement(case: tuple[str, str, str]) -> None:
    human, answer, _ = case
    assert loss(Verdict("s", "ok", answer), human, TASK) == pytest.approx((1 - tau_b(human, answer)) / 2)


@pytest.mark.parametrize(("status", "expected"), [("unparseable", 1.0), ("refused", 1.0), ("error", None)])
def test_a_failure_is_a_full_loss_and_an_outage_is_none(status: Status, expected: float | None) -> None:
    assert loss(Verdict("s", status, None), "2>1=3", TASK) == expected
    assert farthest_label("2>1=3", TASK) == "1=3>2"


def test_the_score_of_a_trial_is_the_mean_fall_of_the_loss() -> None:
    before, after = verdicts_of(["1>2", None]), verdicts_of(["2>1", "1>2"])
    assert score(before, after, ["2>1", "1>2"], TASK) == 1.0


def test_metrics_are_means_over_the_lists_in_two_readings() -> None:
    verdicts = [*verdicts_of(["1>2>3", "2>1>3", None]), Verdict("9", "error", None)]
    measured = metrics(verdicts, ["1>2>3", "1>2>3", "1>2>3", "1>2>3"], TASK, "top_1")
    assert (measured["n"], measured["coverage"]) == (4, 0.5)
    assert measured["kendall_tau_b"] == pytest.approx((1 + 1 / 3) / 2)
    assert measured["strict"]["kendall_tau_b"] == pytest.approx((1 + 1 / 3 - 1) / 3)
    assert measured["top_1"] == 0.5
    assert measured["strict"]["top_1"] == pytest.approx(1 / 3)
    assert measured["guessing"] == {"uniform": pytest.approx(1 / 3), "shares": None}
    assert value(measured, "top_1") == pytest.approx(1 / 3)
    assert "accuracy" not in measured
    assert set(measured["strict"]) == set(RANKING_METRICS)


def test_metrics_without_an_answer_are_undefined_with_a_reason() -> None:
    measured = metrics([Verdict("s", "error", None)], ["1>2"], TASK, "ndcg")
    assert measured["ndcg"] is None and measured["undefined"]["ndcg"]
    assert measured["guessing"] == {"uniform": None, "shares": None}


@given(many_lists, METRICS)
def test_the_gain_is_the_mean_difference_with_its_standard_error(rows: list[tuple[str, str, str]], metric: str) -> None:
    human, old, new = (list(column) for column in zip(*rows, strict=True))
    samples = [Sample(str(i), (), label) for i, label in enumerate(human)]
    gain = paired_gain(verdicts_of([*old]), verdicts_of([*new]), samples, TASK, metric)
    changes = _changes(rows, metric)
    assert gain is not None
    assert gain.difference == pytest.approx(changes.mean())
    assert gain.noise == pytest.approx(sem(changes), abs=1e-9)


def test_the_gain_of_a_single_group_has_no_noise() -> None:
    samples = [Sample(str(i), (), "1>2", group="g") for i in range(2)]
    gain = paired_gain(verdicts_of(["2>1", "1>2"]), verdicts_of(["1>2", "1>2"]), samples, TASK, "kendall_tau_b")
    assert gain is not None and (gain.difference, gain.noise) == (1.0, 0.0)


def _changes(rows: list[tuple[str, str, str]], metric: str) -> np.ndarray:
    value_of = LIST_METRICS[metric]
    return np.array([value_of(human, new) - value_of(human, old) for human, old, new in rows])


@settings(deadline=None, max_examples=30)
@given(many_lists, METRICS)
def test_the_test_of_two_prompts_is_that_of_scipy(rows: list[tuple[str, str, str]], metric: str) -> None:
    human, old, new = (list(column) for column in zip(*rows, strict=True))
    p_value, (low, high) = compare_prompts(verdicts_of([*old]), verdicts_of([*new]), human, TASK, metric, seed=1)
    changes = _changes(rows, metric)
    if not changes.any():
        assert p_value == 1.0
        return
    expected = permutation_test((changes,), np.mean, permutation_type="samples", n_resamples=1000)
    assert p_value == pytest.approx(expected.pvalue)
    assert low <= changes.mean() <= high


def test_groups_are_swapped_and_drawn_as_wholes() -> None:
    old, new = verdicts_of(["2>1"] * 6), verdicts_of(["1>2"] * 6)
    alone, _ = compare_prompts(old, new, ["1>2"] * 6, TASK, "kendall_tau_b", 0)
    grouped, _ = compare_prompts(old, new, ["1>2"] * 6, TASK, "kendall_tau_b", 0, ["a", "a", "b", "b", "c", "c"])
    assert (alone, grouped) == (2 / 2**6, 2 / 2**3)


def test_intervals_hold_the_values() -> None:
    generator = np.random.default_rng(3)
    human = ["1>2>3>4"] * 40
    answers = [label_of_permutation(map(int, generator.permutation(4) + 1)) for _ in human]
    verdicts, right = verdicts_of([*answers]), verdicts_of([*human])
    groups = [str(i // 2) for i in range(40)]
    mean = float(np.mean([tau_b("1>2>3>4", answer) for answer in answers]))
    interval = metric_interval(verdicts, human, TASK, "kendall_tau_b", 0, groups)
    assert interval is not None and interval[0] < mean < interval[1]
    own, difference = bootstrap_intervals(verdicts, right, human, TASK, "kendall_tau_b", 0, groups, [None] * 40)
    assert own == (1.0, 1.0) and difference[0] < 1 - mean < difference[1]
    beyond = beyond_guessing(verdicts, human, TASK, 0, groups)
    assert beyond["metric"] == "kendall_tau_b"
    assert beyond["value"] == pytest.approx(mean)
    assert beyond["ci95"] == list(interval)


def test_methods_are_compared_over_seeds() -> None:
    rows = [PairedAnswer(str(i), "1>2>3", "2>1>3" if i % 3 else None, "1>2>3") for i in range(12)]
    single = compare_seeds([rows], TASK, "kendall_tau_b")
    changes = np.array([2.0 if i % 3 == 0 else 2 / 3 for i in range(12)])
    error = changes.std(ddof=1) / 12**0.5 * (12 / 11) ** 0.5
    assert single.interval[1] - single.difference == pytest.approx(t.ppf(0.975, 11) * error)
    comparison = compare_seeds([rows, rows[:6]], TASK, "kendall_tau_b")
    assert comparison.difference == pytest.approx(1 - (8 / 3 - 4) / 12)
    assert comparison.interval[0] < comparison.difference < comparison.interval[1]
    assert comparison.p_value < 0.01


def test_gates_name_metrics_of_rankings() -> None:
    measured = metrics(verdicts_of(["1>2>3", "2>1>3"]), ["1>2>3"] * 2, TASK)
    gates = parse_gates("kendall_tau_b>=0.5, top_1<0.5, coverage>=1", TASK)
    assert [gate.is_kept(measured) for gate in gates] == [True, False, True]
    with pytest.raises(ConfigError, match="macro_f1 is no metric of rankings; the metrics are kendall_tau_b, ndcg"):
        parse_gates("macro_f1>=0.5", TASK)
