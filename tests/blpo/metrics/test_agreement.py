"""Agreement with people: checked against scikit-learn and scipy, and on input with undefined metrics."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr
from sklearn.metrics import (
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    mean_absolute_error,
    precision_recall_fscore_support,
    recall_score,
)

from blpo.metrics.agreement import MOST_LABELS, agreement, metrics, value
from blpo.metrics.readings import reading
from state.metrics import Agreement, Metrics
from state.sample import Label
from state.settings import LABEL_METRICS, NOMINAL_METRICS, ORDINAL_METRICS, TaskSettings
from state.verdict import Status, Verdict

RATING = TaskSettings(kind="ordinal", min=1, max=5)
SAFETY = TaskSettings(kind="categorical", labels=("unsafe", "safe", "unsure"))

ratings = st.integers(1, 5)
answers = st.one_of(ratings, st.none())
FAILED: tuple[Status, ...] = ("unparseable", "refused", "error")
failures = st.sampled_from([Verdict("s", status, None) for status in FAILED])
verdicts = st.one_of(ratings.map(lambda label: Verdict("s", "ok", label)), failures)


def numbers(result: Agreement | Metrics) -> dict[str, float]:
    return {name: number for name, number in result.items() if isinstance(number, int | float)}


def test_worked_example_with_categories() -> None:
    human: list[Label] = ["safe", "safe", "unsafe", "unsafe", "safe"]
    predicted: list[Label | None] = ["safe", "unsure", "unsafe", "safe", None]
    result = agreement(predicted, human, SAFETY)
    # "safe" is the middle of the order: the farthest label is the first
    filled = ["safe", "unsure", "unsafe", "safe", "unsafe"]
    assert result["accuracy"] == pytest.approx(2 / 5)
    assert result["balanced_accuracy"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert numbers(result) == pytest.approx(numbers(agreement(filled, human, SAFETY)))
    assert result["majority_baseline"] == pytest.approx(3 / 5)
    assert not {"mae", "quadratic_kappa", "spearman"} & result.keys()


def test_worked_example_with_ratings() -> None:
    result = agreement([1, 3, None, None], [1, 2, 2, 5], RATING)
    assert result["mae"] == pytest.approx((0 + 1 + 4 + 4) / 4)
    filled = [1, 3, 5, 1]  # a failure is the label farthest from the human label
    assert result["quadratic_kappa"] == pytest.approx(
        float(cohen_kappa_score([1, 2, 2, 5], filled, labels=[1, 2, 3, 4, 5], weights="quadratic"))
    )
    assert result["spearman"] == pytest.approx(float(spearmanr([1, 2, 2, 5], filled).statistic))


def test_a_failure_in_the_middle_of_the_scale_counts_as_the_lowest_label() -> None:
    failed, lowest = agreement([None, 5, 1], [3, 5, 1], RATING), agreement([1, 5, 1], [3, 5, 1], RATING)
    assert failed["quadratic_kappa"] == lowest["quadratic_kappa"]
    assert failed["mae"] == pytest.approx(4 / 3)  # the full range, as in the loss


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ratings, ratings), min_size=2, max_size=40))
def test_agreement_is_what_scikit_learn_and_scipy_say(rows: list[tuple[int, int]]) -> None:
    predicted, human = [p for p, _ in rows], [h for _, h in rows]
    result = agreement(predicted, human, RATING)
    classes = sorted(set(human))
    assert result["accuracy"] == pytest.approx(sum(p == h for p, h in rows) / len(rows))
    assert result["macro_f1"] == pytest.approx(
        float(f1_score(human, predicted, labels=classes, average="macro", zero_division=0.0))
    )
    assert result["mae"] == pytest.approx(float(mean_absolute_error(human, predicted)))
    if set(predicted) <= set(human) and len(classes) > 1:
        assert result["balanced_accuracy"] == pytest.approx(float(balanced_accuracy_score(human, predicted)))
    if len(set(predicted)) > 1 and len(set(human)) > 1:
        assert result["kappa"] == pytest.approx(float(cohen_kappa_score(human, predicted)))
        assert result["spearman"] == pytest.approx(float(spearmanr(human, predicted).statistic))
        assert result["kendall_tau_b"] == pytest.approx(float(kendalltau(human, predicted).statistic))
        assert result["pearson"] == pytest.approx(float(pearsonr(human, predicted).statistic))
        assert result["mcc"] == pytest.approx(float(matthews_corrcoef(human, predicted)))
        assert result["quadratic_kappa"] == pytest.approx(
            float(cohen_kappa_score(human, predicted, labels=range(1, 6), weights="quadratic"))
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ratings, ratings), min_size=1, max_size=30))
def test_metrics_of_a_label_are_what_scikit_learn_says(rows: list[tuple[int, int]]) -> None:
    predicted, human = [p for p, _ in rows], [h for _, h in rows]
    result = agreement(predicted, human, RATING)
    expected = precision_recall_fscore_support(human, predicted, labels=range(1, 6), zero_division=math.nan)
    for place, label in enumerate(range(1, 6)):
        others = [h for h in human if h != label]
        right_rest = sum(p != label for p, h in rows if h != label)
        sides = [*(float(row[place]) for row in expected[:3]), right_rest / len(others) if others else math.nan]
        for name, number in zip(("precision", "recall", "f1", "specificity"), sides, strict=True):
            own = reading(result, f"{name}.{label}")
            assert own == (None if math.isnan(number) else pytest.approx(number))
            assert (f"{name}.{label}" in result.get("undefined", {})) is (own is None)


def test_the_positive_label_comes_first() -> None:
    task = TaskSettings(kind="categorical", labels=("safe", "unsafe", "unsure"), positive="unsafe")
    result = agreement(["unsafe", "safe", "safe"], ["unsafe", "unsafe", "safe"], task)
    assert list(result["f1"]) == ["unsafe", "safe", "unsure"]
    assert result["recall"] == {"unsafe": 0.5, "safe": 1.0, "unsure": None}
    assert result["undefined"] == {
        "precision.unsure": "no verdict is unsure",
        "recall.unsure": "no human label is unsure",
        "f1.unsure": "no human label and no verdict is unsure",
    }


def test_many_labels_have_no_metrics_by_label() -> None:
    assert "recall" in agreement([1], [1], TaskSettings(max=MOST_LABELS))
    assert not set(LABEL_METRICS) & agreement([1], [1], TaskSettings(max=MOST_LABELS + 1)).keys()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(answers, ratings), max_size=12))
def test_every_number_is_finite_and_in_its_range(rows: list[tuple[int | None, int]]) -> None:
    result = agreement([p for p, _ in rows], [h for _, h in rows], RATING)
    assert result.keys() - {"undefined"} == {
        *("accuracy", "balanced_accuracy", "macro_f1", "kappa", "majority_baseline", "mcc"),
        *("mae", "quadratic_kappa", "spearman", "kendall_tau_b", "pearson"),
        *LABEL_METRICS,
    }
    nulls = {name for name, number in result.items() if number is None}
    assert nulls == {name for name in result.get("undefined", {}) if "." not in name}
    for name, number in numbers(result).items():
        assert type(number) is float
        assert math.isfinite(number)
        lowest, highest = (0, 4) if name == "mae" else (-1 if name in ("kappa", "mcc", *ORDINAL_METRICS) else 0, 1)
        assert lowest - 1e-9 <= number <= highest + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(ratings, min_size=1, max_size=20))
def test_perfect_answers(human: list[int]) -> None:
    result = agreement(human, human, RATING)
    assert (result["accuracy"], result["balanced_accuracy"], result["macro_f1"], result["mae"]) == (1.0, 1.0, 1.0, 0.0)
    for name in ("kappa", "mcc", *ORDINAL_METRICS):
        if len(set(human)) > 1:
            assert reading(result, name) == pytest.approx(1.0)
        else:  # agreement beyond chance is undefined for a single label
            assert reading(result, name) is None
            assert "one label" in result["undefined"][name]


@pytest.mark.parametrize("answer", [1, 3])
def test_a_constant_answer_is_no_better_than_chance(answer: int) -> None:
    result = agreement([answer] * 5, [1, 2, 3, 4, 5], RATING)
    assert numbers(result)["macro_f1"] <= 1 / 15 + 1e-9
    assert result["kappa"] == pytest.approx(0.0)
    assert result["balanced_accuracy"] == 0.2


def test_only_failures_are_worse_than_chance() -> None:
    result = agreement([None] * 5, [1, 2, 3, 4, 5], RATING)
    assert (result["accuracy"], result["macro_f1"], result["balanced_accuracy"]) == (0.0, 0.0, 0.0)
    assert numbers(result)["kappa"] < 0


@given(st.lists(st.tuples(answers, st.sampled_from([0, 1])), min_size=1, max_size=20))
def test_of_two_labels_a_failure_is_the_wrong_one(rows: list[tuple[int | None, int]]) -> None:
    binary = TaskSettings(kind="ordinal", min=0, max=1)
    human = [h for _, h in rows]
    failing = [None if p is None else p % 2 for p, _ in rows]
    wrong = [1 - h if p is None else p for p, h in zip(failing, human, strict=True)]
    assert numbers(agreement(failing, human, binary)) == pytest.approx(numbers(agreement(wrong, human, binary)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(answers, ratings), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(rows: list[tuple[int | None, int]], generator: random.Random) -> None:
    mixed = generator.sample(rows, len(rows))
    first, second = (agreement([p for p, _ in r], [h for _, h in r], RATING) for r in (rows, mixed))
    assert numbers(first) == pytest.approx(numbers(second))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(answers, ratings), min_size=1, max_size=20), st.data())
def test_turning_a_right_answer_into_a_failure_never_pays(
    rows: list[tuple[int | None, int]], data: st.DataObject
) -> None:
    right = [i for i, (p, h) in enumerate(rows) if p == h]
    if not right:
        return
    failed = data.draw(st.sampled_from(right))
    human = [h for _, h in rows]
    before = agreement([p for p, _ in rows], human, RATING)
    after = agreement([None if i == failed else p for i, (p, _) in enumerate(rows)], human, RATING)
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert numbers(after)[name] < numbers(before)[name]
    assert numbers(after)["mae"] > numbers(before)["mae"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ratings, ratings), min_size=1, max_size=20))
def test_the_classes_averaged_over_are_those_of_the_human_labels(rows: list[tuple[int, int]]) -> None:
    """An answer outside the human labels is wrong, but adds no class to the mean."""
    human = [h for _, h in rows]
    unheard = TaskSettings(kind="ordinal", min=1, max=6)
    predicted = [p if p == h else 6 for p, h in rows]
    expected = recall_score(human, predicted, labels=sorted(set(human)), average="macro", zero_division=0.0)
    assert agreement(predicted, human, unheard)["balanced_accuracy"] == pytest.approx(float(expected))


def test_both_readings() -> None:
    mixed_verdicts = [
        *[Verdict(f"{i}", "ok", label) for i, label in enumerate((1, 2, 4))],
        Verdict("3", "refused", None),
        Verdict("4", "unparseable", None),
        Verdict("5", "error", None),
    ]
    labels = [1, 2, 3, 4, 5, 5]
    result = metrics(mixed_verdicts, labels, RATING)
    assert result["n"] == 6
    assert result["coverage"] == 0.5
    assert result["accuracy"] == pytest.approx(2 / 3)
    assert result["strict"] == agreement([1, 2, 4, None, None], labels[:5], RATING)
    assert value(result, "accuracy") == pytest.approx(2 / 5)


@pytest.mark.parametrize("status", FAILED)
@pytest.mark.parametrize("task", [RATING, SAFETY])
def test_nothing_answered(status: Status, task: TaskSettings) -> None:
    verdict = Verdict("s", status, None)
    for n in (0, 1, 3):
        result = metrics([verdict] * n, [task.values[0]] * n, task)
        assert (result["n"], result["coverage"]) == (n, 0.0)
        assert {result["accuracy"], result["macro_f1"], result["kappa"]} == {None}
        assert result["undefined"]["accuracy"] == "no sample has an answer and a human label"
        counts_as_wrong = n > 0 and status != "error"
        assert result["strict"]["accuracy"] == (0.0 if counts_as_wrong else None)
        assert value(result, "accuracy") == 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(verdicts, ratings), max_size=12))
def test_the_strict_reading_selects_for_every_metric(rows: list[tuple[Verdict, int]]) -> None:
    result = metrics([v for v, _ in rows], [h for _, h in rows], RATING)
    for metric in (*NOMINAL_METRICS, *ORDINAL_METRICS, "recall.2"):
        assert value(result, metric) == pytest.approx(reading(result["strict"], metric) or 0.0, abs=1e-12)
    assert 0.0 <= result["coverage"] <= 1.0
    if all(v.status in ("ok", "error") for v, _ in rows):
        assert numbers(result["strict"]) == {k: n for k, n in numbers(result).items() if k not in ("n", "coverage")}


def test_labels_that_are_not_the_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"label 6 is not one of the task's labels: 1, 2, 3, 4, 5"):
        agreement([6], [1], RATING)
    with pytest.raises(ValueError, match="'save' is not one of"):
        agreement(["safe"], ["save"], SAFETY)
    with pytest.raises(ValueError, match="sample x has no label"):
        metrics([Verdict("x", "ok", 1)], [None], RATING)
    with pytest.raises(ValueError, match="2 predictions for 1 human"):
        agreement([1, 2], [1], RATING)
