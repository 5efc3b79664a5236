"""Metrics of pairs: by hand, against scikit-learn, and under exchanges that must not matter."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, cohen_kappa_score

from blpo.metrics.agreement import metrics, value
from blpo.metrics.gain import paired_gain
from blpo.metrics.gate import parse_gates
from blpo.metrics.guessing import guessing
from blpo.metrics.human_ceiling import human_ceiling
from blpo.metrics.pairwise import Positions, share_interval
from blpo.metrics.rater_scorer import RaterAnswer
from blpo.metrics.readings import reading
from blpo.metrics.seed_comparison import PairedAnswer, compare_seeds
from blpo.metrics.significance import beyond_guessing, compare_prompts, metric_interval
from blpo.metrics.slices import slices
from state.errors import ConfigError
from state.metrics import Metrics
from state.sample import Label, Rating, Sample
from state.settings import PAIR_METRICS, PAIR_RATES, TaskSettings, metric_problem
from state.verdict import OrderedVerdict, Status, Verdict

PAIRS = TaskSettings(kind="pairwise")
WITH_TIES = TaskSettings(kind="pairwise", ties=True)
ONE_ORDER = TaskSettings(kind="pairwise", order="one")

Answers = tuple[Label | None, Label | None]
"""Labels in the orders ab and ba; None for a refusal."""
side = st.sampled_from(["a", "b"])
any_label = st.sampled_from(["a", "b", "tie"])
rows_of_pairs = st.lists(st.tuples(side, st.tuples(side, side)), min_size=1, max_size=25)
rows_with_ties = st.lists(st.tuples(any_label, st.tuples(any_label, any_label)), min_size=1, max_size=25)
rows_under_two_prompts = st.lists(
    st.tuples(side, st.tuples(side, side), st.tuples(side, side)), min_size=2, max_size=12
)


def pair(answers: Answers, name: str = "p", failure: Status = "refused") -> Verdict:
    """Return the verdict of a pair in both orders."""
    ab, ba = answers
    orders = (
        OrderedVerdict("ab", failure if ab is None else "ok", ab),
        OrderedVerdict("ba", failure if ba is None else "ok", ba),
    )
    agreed = answers[0] if answers[0] == answers[1] else None
    return Verdict(name, failure if None in answers else "ok", agreed, orders=orders)


def pairs(rows: Sequence[Answers]) -> list[Verdict]:
    return [pair(answers, f"p{number}") for number, answers in enumerate(rows)]


def measured(rows: Sequence[tuple[Label, Answers]], task: TaskSettings = PAIRS) -> Metrics:
    return metrics(pairs([answers for _, answers in rows]), [human for human, _ in rows], task, "accuracy")


def test_a_server_that_always_says_first() -> None:
    # In the order ab "first" is a, in the order ba it is b: right once for every pair.
    result = measured([(human, ("a", "b")) for human in "aababbbaba"])
    assert result["accuracy"] == result["strict"]["accuracy"] == 0.5
    assert result["consistent_accuracy"] == result["strict"]["consistent_accuracy"] == 0.0
    assert result["consistency"] == 0.0
    assert result["first_rate"] == 1.0
    assert result["kappa"] == 0.0
    assert result["n"] == 10
    assert result["coverage"] == 1.0
    low, high = result["first_rate_ci95"] or [0.0, 0.0]
    assert 0.5 < low < high == 1.0
    assert "ties" not in result


def test_a_server_that_always_says_second() -> None:
    result = measured([(human, ("b", "a")) for human in "aababbbaba"])
    assert (result["accuracy"], result["consistent_accuracy"], result["first_rate"]) == (0.5, 0.0, 0.0)


def test_a_server_that_always_says_tie() -> None:
    result = measured([(human, ("tie", "tie")) for human in ("a", "b", "tie", "tie", "a", "b", "tie", "b")], WITH_TIES)
    assert result["accuracy"] == 3 / 8
    assert result["consistent_accuracy"] == 3 / 8
    assert result["consistency"] == 1.0
    assert result["ties"] == 1.0
    assert result["first_rate"] is None
    assert result["first_rate_ci95"] is None
    assert result["undefined"]["first_rate"] == "no answer is first or second"


def test_worked_example() -> None:
    rows: list[tuple[Label, Answers]] = [
        ("a", ("a", "a")),  # right in both orders
        ("a", ("a", "b")),  # first twice
        ("b", ("b", "a")),  # second twice
        ("b", ("b", None)),  # right, then refused
    ]
    result = measured(rows)
    assert result["n"] == 4
    assert result["coverage"] == 3 / 4
    assert result["accuracy"] == 5 / 7  # seven answers, five are right
    assert result["strict"]["accuracy"] == 5 / 8
    assert result["consistent_accuracy"] == 1 / 3  # three pairs have two answers
    assert result["strict"]["consistent_accuracy"] == 1 / 4
    assert (result["consistency"], result["strict"]["consistency"]) == (1 / 3, 1 / 4)
    # ab: a, a, b, b are first, first, second, second; ba: a, b, a are second, first, second
    assert result["first_rate"] == result["strict"]["first_rate"] == 3 / 7


def test_an_error_in_one_order_leaves_the_pair_out() -> None:
    orders = (OrderedVerdict("ab", "ok", "a"), OrderedVerdict("ba", "error", None))
    failed = Verdict("x", "error", None, orders=orders)
    result = metrics([failed, pair(("b", "b"))], ["b", "b"], PAIRS)
    assert (result["n"], result["coverage"]) == (2, 0.5)
    assert result["strict"]["accuracy"] == result["strict"]["consistent_accuracy"] == 1.0
    assert result["first_rate"] == 0.5
    p_value, interval = compare_prompts([failed], [pair(("b", "b"))], ["b"], PAIRS, "accuracy", 0)
    assert (p_value, interval) == (1.0, (0.0, 0.0))


def test_a_set_without_pairs_has_no_value_and_says_why() -> None:
    result = metrics([], [], WITH_TIES)
    for name in (*PAIR_METRICS, *PAIR_RATES):
        assert name in result
        assert reading(result, name) is None
        assert result["undefined"][name]


def test_tasks_of_one_image_have_no_metrics_of_pairs() -> None:
    result = metrics([Verdict("s", "ok", 3)], [3], TaskSettings())
    assert not {*PAIR_METRICS, *PAIR_RATES, "first_rate_ci95"} & (result.keys() | result["strict"].keys())


def test_pairs_judged_apart_have_no_position() -> None:
    task = TaskSettings(kind="pairwise", order="apart")
    result = metrics(pairs([("a", "a"), ("a", "b")]), ["a", "b"], task)
    assert (result["accuracy"], result["consistent_accuracy"]) == (0.75, 0.5)
    assert not {"first_rate", "first_rate_ci95"} & result.keys()


def test_pairs_in_one_order_have_a_lean_and_no_consistency() -> None:
    verdicts = [
        Verdict(str(n), "ok", label, orders=(OrderedVerdict("ab", "ok", label),)) for n, label in enumerate("aab")
    ]
    result = metrics(verdicts, ["a", "b", "b"], ONE_ORDER)
    assert result["accuracy"] == result["first_rate"] == 2 / 3
    assert not {"consistent_accuracy", "consistency"} & result.keys()


@settings(max_examples=60, deadline=None)
@given(rows_of_pairs)
def test_metrics_of_answers_are_what_scikit_learn_says(rows: list[tuple[str, tuple[str, str]]]) -> None:
    result = measured(rows)
    human = [label for label, answers in rows for _ in answers]
    answers = [answer for _, both in rows for answer in both]
    assert result["accuracy"] == pytest.approx(float(accuracy_score(human, answers)))
    if len({*human, *answers}) > 1:
        assert result["kappa"] == pytest.approx(float(cohen_kappa_score(human, answers)))


@settings(max_examples=100, deadline=None)
@given(rows_with_ties)
def test_bounds(rows: list[tuple[str, tuple[str, str]]]) -> None:
    result = measured(rows, WITH_TIES)
    accuracy, both, same = (reading(result, name) or 0.0 for name in ("accuracy", "consistent_accuracy", "consistency"))
    assert max(0.0, 2 * accuracy - 1) <= both + 1e-12
    assert both <= min(accuracy, same) + 1e-12
    assert same - both <= 1 - accuracy + 1e-12  # a consistent pair is right twice or wrong twice
    if same == 1 and result["first_rate"] is not None:
        assert result["first_rate"] == 0.5
    interval = result["first_rate_ci95"]
    assert interval is None or 0 <= interval[0] <= (result["first_rate"] or 0) <= interval[1] <= 1


@settings(max_examples=60, deadline=None)
@given(rows_with_ties, st.randoms(use_true_random=False))
def test_the_names_of_the_sides_and_the_order_of_the_pairs_play_no_part(
    rows: list[tuple[str, tuple[str, str]]], random: Random
) -> None:
    exchanged = {"a": "b", "b": "a", "tie": "tie"}
    swapped = [(exchanged[human], (exchanged[ba], exchanged[ab])) for human, (ab, ba) in rows]
    shuffled = random.sample(swapped, len(swapped))
    before, after = measured(rows, WITH_TIES), measured(shuffled, WITH_TIES)
    for name in ("accuracy", "macro_f1", "kappa", *PAIR_METRICS, *PAIR_RATES):
        one, other = reading(before, name), reading(after, name)
        assert one == other or one == pytest.approx(other)
    assert before["first_rate_ci95"] == (after["first_rate_ci95"] and pytest.approx(after["first_rate_ci95"]))


@settings(max_examples=30, deadline=None)
@given(rows_under_two_prompts)
def test_answers_of_a_pair_are_one_group(rows: list[tuple[str, tuple[str, str], tuple[str, str]]]) -> None:
    labels, old, new = (list(part) for part in zip(*rows, strict=True))
    compared = compare_prompts(pairs(old), pairs(new), labels, PAIRS, "accuracy", 0)
    flat = [[Verdict("", "ok", answer) for both in side for answer in both] for side in (old, new)]
    groups = [str(number) for number in range(len(rows)) for _ in range(2)]
    human = [label for label in labels for _ in range(2)]
    two = TaskSettings(kind="categorical", labels=("a", "b"))
    assert compared == compare_prompts(flat[0], flat[1], human, two, "accuracy", 0, groups)


@settings(max_examples=30, deadline=None)
@given(rows_under_two_prompts)
def test_consistent_accuracy_is_tested_by_mcnemar_over_pairs(
    rows: list[tuple[str, tuple[str, str], tuple[str, str]]],
) -> None:
    labels, old, new = (list(part) for part in zip(*rows, strict=True))
    right = [[both == (label, label) for label, both in zip(labels, side, strict=True)] for side in (old, new)]
    gained = sum(after and not before for before, after in zip(*right, strict=True))
    lost = sum(before and not after for before, after in zip(*right, strict=True))
    p_value, (low, high) = compare_prompts(pairs(old), pairs(new), labels, PAIRS, "consistent_accuracy", 0)
    assert p_value == pytest.approx(float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0)
    assert low - 1e-9 <= (gained - lost) / len(rows) <= high + 1e-9
    samples = [Sample(f"p{number}", (), label) for number, label in enumerate(labels)]
    gain = paired_gain(pairs(old), pairs(new), samples, PAIRS, "consistent_accuracy")
    assert gain is not None
    assert gain.difference == pytest.approx((gained - lost) / len(rows))


@settings(max_examples=40, deadline=None)
@given(rows_under_two_prompts)
def test_the_gain_is_the_difference_of_the_metrics(
    rows: list[tuple[str, tuple[str, str], tuple[str, str]]],
) -> None:
    labels, old, new = (list(part) for part in zip(*rows, strict=True))
    samples = [Sample(f"p{number}", (), label) for number, label in enumerate(labels)]
    for metric in ("accuracy", "macro_f1", "consistent_accuracy"):
        gain = paired_gain(pairs(old), pairs(new), samples, PAIRS, metric)
        before, after = (metrics(pairs(side), labels, PAIRS) for side in (old, new))
        assert gain is not None
        assert gain.difference == pytest.approx(value(after, metric) - value(before, metric))


def test_one_order_against_both_orders_compares_every_answer() -> None:
    single = [Verdict(str(n), "ok", "a", orders=(OrderedVerdict("ab", "ok", "a"),)) for n in range(12)]
    p_value, (low, high) = compare_prompts(single, pairs([("a", "b")] * 12), ["a"] * 12, PAIRS, "accuracy", 0)
    assert p_value < 0.001
    assert low == high == -0.5


def test_a_judge_with_a_lean_is_no_better_than_guessing() -> None:
    labels = list("ab" * 20)
    assert beyond_guessing(pairs([("a", "b")] * 40), labels, PAIRS, 0)["ci95"][0] <= 0
    right = beyond_guessing(pairs([(label, label) for label in labels]), labels, PAIRS, 0)
    assert (right["metric"], right["value"]) == ("kappa", 1.0)


def test_the_interval_of_one_prompt_is_over_pairs() -> None:
    rows = [("a", "a"), ("a", "b"), ("b", "b"), ("a", "a")] * 5
    low, high = metric_interval(pairs(rows), ["a"] * 20, PAIRS, "consistent_accuracy", 0) or (0.0, 0.0)
    assert low < 0.5 < high
    assert high - low == pytest.approx(2 * 2.09 * 0.5 / 20**0.5, rel=0.15)


def test_guessing_is_right_in_both_orders_for_a_quarter_of_pairs() -> None:
    labels: list[Label] = ["a", "a", "a", "b"]
    result = guessing(labels, PAIRS, "consistent_accuracy")
    assert result["uniform"] == 0.25
    shares = {"a": 0.75, "b": 0.25}
    by_hand = sum(
        shares[one] * shares[other] * (one == other == human) / 4
        for human, one, other in product(labels, "ab", "ab")
    )  # fmt: skip
    assert result["shares"] == pytest.approx(by_hand)
    assert guessing(labels, WITH_TIES, "consistent_accuracy")["uniform"] == pytest.approx(1 / 9)


def test_groups_widen_the_interval_of_the_lean() -> None:
    verdicts = pairs([("a", "b")] * 12 + [("a", "a")] * 12 + [("b", "a")] * 6)
    alone = Positions.of(verdicts).interval
    grouped = Positions.of(verdicts, [f"g{number // 6}" for number in range(30)]).interval
    assert alone is not None
    assert grouped is not None
    assert grouped[1] - grouped[0] > 1.5 * (alone[1] - alone[0])
    assert Positions.of(verdicts, ["g"] * 30).interval is None


@pytest.mark.parametrize("groups", [8, 30, 120])
@pytest.mark.parametrize(("same", "lean"), [(0.9, 0.0), (0.5, 0.0), (0.6, 0.3), (0.2, -0.5), (0.97, 1.0)])
def test_the_interval_of_the_lean_holds_the_true_share(groups: int, same: float, lean: float) -> None:
    generator = np.random.default_rng(groups)
    true, inside = same * 0.5 + (1 - same) * (1 + lean) / 2, 0
    for _ in range(300):
        sizes = generator.integers(1, 4, groups)
        consistent = generator.binomial(sizes, same)
        twice = generator.binomial(sizes - consistent, (1 + lean) / 2)
        low, high = share_interval(np.array([consistent + 2 * twice, 2 * sizes], dtype=np.float64).T)
        inside += low <= true <= high
    assert inside >= 0.925 * 300


def test_seeds_are_compared_over_answers() -> None:
    rows = [
        PairedAnswer(str(number), "a", first, second)
        for number in range(20)
        for first, second in (("a", "a"), ("b", "a" if number % 2 else "b"))
    ]
    compared = compare_seeds([rows, rows], PAIRS, "accuracy")
    assert (compared.samples, compared.groups) == (20, 20)
    assert compared.difference == pytest.approx(0.25)


def test_slices_of_pairs() -> None:
    samples = [Sample(str(n), (), "a", slices=(("model", "x" if n % 2 else "y"),)) for n in range(8)]
    before, after = pairs([("a", "b")] * 8), pairs([("a", "a"), ("a", "b")] * 4)
    result = slices(samples, before, after, PAIRS, "consistent_accuracy", 0)["model"]
    assert (result["y"]["initial"], result["y"]["best"], result["y"]["fixed"]) == (0.0, 1.0, 4)
    assert (result["x"]["initial"], result["x"]["best"], result["x"]["fixed"]) == (0.0, 0.0, 0)
    assert result["x"]["first_rate"] == 1.0
    assert result["y"]["first_rate"] == 0.5


def test_the_judge_beside_one_rater_is_measured_over_both_orders() -> None:
    samples = [
        Sample(str(n), (), "a", ratings=(Rating("r", "a"), Rating("s", "a"), Rating("t", "b" if n % 4 == 0 else "a")))
        for n in range(40)
    ]
    answers = [
        RaterAnswer(place, rating.rater, str(rating.value), str(rating.value), "a", None, False)
        for place, sample in enumerate(samples)
        for rating in sample.ratings
    ]
    verdicts = pairs([("a", "b")] * 40), pairs([("a", "a"), ("a", "b")] * 20)
    ceiling = human_ceiling(answers, samples, verdicts, PAIRS, "accuracy", 0)
    assert ceiling["value"] == pytest.approx((1 + 1 + 0.75) / 3)
    assert ceiling["judge"] == {"initial": 0.5, "best": 0.75}
    assert ceiling["samples"] == 40
    both = human_ceiling(answers, samples, verdicts, PAIRS, "consistent_accuracy", 0)
    assert both["value"] == pytest.approx((1 + 1 + 0.75) / 3)
    assert both["judge"] == {"initial": 0.0, "best": 0.5}


def test_gates() -> None:
    result = measured([(human, ("a", "b")) for human in "abab"])
    gates = parse_gates("consistent_accuracy>=0.6, first_rate<=0.55, consistency>0, accuracy>=0.5", PAIRS)
    assert [gate.is_kept(result) for gate in gates] == [False, False, False, True]
    assert parse_gates("answered.ties<=0.2", WITH_TIES)[0].is_kept(measured([("a", ("a", "a"))], WITH_TIES))


@pytest.mark.parametrize(
    ("gate", "task", "problem"),
    [
        ("first_rate<=0.6", TaskSettings(), "first_rate needs a pairwise task"),
        ("consistency>=0.6", ONE_ORDER, "consistency needs pairs in both orders (task.order: both)"),
        ("consistent_accuracy>=0.6", ONE_ORDER, "consistent_accuracy needs pairs in both orders"),
        ("ties<=0.6", PAIRS, "ties needs pairs with ties (task.ties: true)"),
        ("consistant_accuracy>=0.6", PAIRS, "did you mean 'consistent_accuracy'?"),
        ("spearman>=0.6", PAIRS, "spearman needs an ordinal task"),
    ],
)
def test_gates_that_the_task_lacks(gate: str, task: TaskSettings, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_gates(gate, task)
    assert problem in str(caught.value)


def test_shares_of_answers_select_no_prompt() -> None:
    assert metric_problem("consistent_accuracy", PAIRS) is None
    assert metric_problem("recall.b", PAIRS) is None
    for name in PAIR_RATES:
        assert "unknown metric" in (metric_problem(name, PAIRS) or "")


def test_a_pair_is_wrong_in_one_order_whatever_the_failure() -> None:
    failed = replace(pair(("a", None)), status="unparseable")
    result = metrics([failed], ["a"], PAIRS)
    assert result["strict"]["accuracy"] == 0.5
    assert result["strict"]["consistent_accuracy"] == 0.0
    assert result["consistent_accuracy"] is None
