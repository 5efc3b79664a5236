"""The verdict of a run: one population, and never a word against the sign of its interval."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.inference.test_comparison import compared_on_test
from blpo.metrics.agreement import metrics
from blpo.metrics.readings import SIGNIFICANT, strict_reading
from blpo.metrics.significance import compare_prompts
from blpo.reports.label_source import PEOPLE
from blpo.reports.outcome import headline, tone
from blpo.runs.verdict_sentence import outcome, strict_difference, verdict
from state.metrics_on_test import TestMetrics as OnTest
from state.result import Result, empty_result
from state.round_result import RoundResult
from state.sample import Label, Sample
from state.settings import SearchSettings, Settings, TaskSettings
from state.verdict import Status, Verdict

BINARY = TaskSettings(kind="categorical", labels=("no", "yes"), positive="yes")
RATING = TaskSettings(kind="ordinal", min=1, max=5)
FLIPPED = {"no": "yes", "yes": "no"}


def result_of(test: OnTest, metric: str) -> Result:
    """Return a result with two prompts and this test."""
    metrics_of_round = test["initial"]
    rounds = [
        RoundResult(round=t, judge_prompt=p, i2t_prompt="q", validation=metrics_of_round, errors=0, trials=[])
        for t, p in enumerate("ab")
    ]
    return Result({**empty_result(metric), "status": "complete", "test": test, "rounds": rounds, "best_round": 1})


def compared(
    human: Sequence[Label],
    old: Sequence[Verdict],
    new: Sequence[Verdict],
    task: TaskSettings,
    metric: str,
    groups: Sequence[str | None] | None = None,
) -> Result:
    names = groups or [None] * len(human)
    samples = [Sample(str(i), (), label, None, names[i]) for i, label in enumerate(human)]
    context = Settings.model_construct(task=task, search=SearchSettings(metric=metric))
    return result_of(compared_on_test(samples, old, new, context), metric)


def judged(label: Label, status: Status) -> Verdict:
    return Verdict("", status, label if status == "ok" else None)


@st.composite
def comparisons(draw: st.DrawFn) -> Result:
    """Two prompts of different quality, with refusals, unreadable replies, errors, and groups."""
    task, metric = draw(st.sampled_from([(BINARY, "macro_f1"), (BINARY, "kappa"), (RATING, "quadratic_kappa")]))
    generator = random.Random(draw(st.integers(0, 10**6)))
    size, width = draw(st.integers(1, 60)), draw(st.integers(1, 4))
    rights, failures = ([draw(st.sampled_from((0.0, 0.1, 0.5, 0.9))) for _ in range(2)] for _ in range(2))
    values: Sequence[Label] = task.values
    human = [generator.choice(values) for _ in range(size)]
    sides: list[list[Verdict]] = []
    for right, failing in zip(rights, failures, strict=True):
        answers = [label if generator.random() < right else generator.choice(values) for label in human]
        kinds: list[Status] = ["refused", "unparseable", "error"]
        states = [generator.choice(kinds) if generator.random() < failing else "ok" for _ in human]
        sides.append([judged(label, status) for label, status in zip(answers, states, strict=True)])
    groups = [f"g{i // width}" if width > 1 else None for i in range(size)]
    return compared(human, sides[0], sides[1], task, metric, groups)


@settings(max_examples=60, deadline=None)
@given(comparisons())
def test_word_difference_interval_and_p_value_agree(result: Result) -> None:
    test = result["test"]
    assert test is not None
    word, sentence = outcome(result), verdict(result)
    difference, (low, high) = strict_difference(test, result["metric"]), test["difference_ci95"]
    assert (word in ("better", "higher")) is (test["p_value"] < SIGNIFICANT and difference > 0 and low > 0)
    assert (word == "worse") is (test["p_value"] < SIGNIFICANT and difference < 0 and high < 0)
    assert sentence.startswith(
        {"better": "Better:", "worse": "Worse:", "higher": "Higher, but no better", "open": "No improvement"}[word]
    )
    assert ("agrees better" in headline(result, PEOPLE)) is (word == "better") is (tone(result) == "better")
    assert f"difference {difference:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}" in sentence
    beyond = test["beyond_guessing"]
    assert word != "better" or beyond["ci95"][0] > 0
    left_out = test["left_out"]
    assert (f"{left_out} left out (errors)" in sentence) is (left_out > 0)
    if test["best"]["n"] > left_out:
        assert all(strict_reading(test[side], "accuracy") is not None for side in ("initial", "best"))


def test_the_refusals_of_the_first_prompt_count_in_test_and_interval() -> None:
    """Of 60 samples answered twice 12 got worse, and 40 refusals are gone: better, if a refusal is wrong."""
    human: list[Label] = ["no", "yes"] * 50
    old = [judged(label, "ok") for label in human[:60]] + [judged("", "refused")] * 40
    new = [judged(FLIPPED[str(label)], "ok") for label in human[:12]] + [judged(label, "ok") for label in human[12:]]
    result = compared(human, old, new, BINARY, "macro_f1")
    assert result["test"] is not None
    assert result["test"]["difference_ci95"][0] > 0
    assert verdict(result).startswith("Better: macro-F1 0.600 -> 0.880 on 100 untouched samples")
    assert "failures count as wrong; over the answered samples alone 1.000 -> 0.880" in verdict(result)


def test_a_prompt_that_begins_to_refuse_is_worse() -> None:
    human: list[Label] = ["no", "yes"] * 50
    old = [judged(label, "ok") for label in human]
    result = compared(human, old, [judged("", "refused")] * 43 + old[43:], BINARY, "macro_f1")
    assert verdict(result).startswith("Worse: macro-F1 1.000 -> 0.570")
    assert outcome(result) == "worse"


def test_a_sample_with_an_error_leaves_the_pair() -> None:
    human: list[Label] = ["no", "yes"] * 20
    old = [judged(FLIPPED[str(label)], "ok") for label in human]
    new = [judged(label, "ok") for label in human]
    old[0], new[1], new[2] = judged("", "error"), judged("", "error"), judged("", "refused")
    result = compared(human, old, new, BINARY, "macro_f1")
    test = result["test"]
    assert test is not None
    assert (test["left_out"], test["best"]["n"]) == (2, 40)
    expected = compare_prompts(old[2:], new[2:], human[2:], BINARY, "macro_f1", 0)
    assert (test["p_value"], tuple(test["difference_ci95"])) == expected
    assert strict_reading(test["initial"], "accuracy") == 0.0
    assert strict_reading(test["best"], "accuracy") == pytest.approx(37 / 38)
    assert "on 38 untouched samples, 2 left out (errors)" in verdict(result)


def test_up_from_refusals_to_guesses_is_not_called_better() -> None:
    human: list[Label] = ["no", "yes"] * 40
    guesses = [judged(random.Random(i).choice(("no", "yes")), "ok") for i in range(80)]
    result = compared(human, [judged("", "refused")] * 80, guesses, BINARY, "macro_f1")
    assert outcome(result) == "higher"
    assert verdict(result).startswith("Higher, but no better than guessing: macro-F1 0.000 -> 0.")
    assert ", and guessing has 0" in verdict(result)
    assert (headline(result, PEOPLE), tone(result)) == ("Higher, but no better than guessing", "open")


def test_groups_are_told_and_f1_of_the_positive_label_stands_beside() -> None:
    human: list[Label] = ["no", "yes"] * 20
    new = [judged(label, "ok") for label in human]
    result = compared(human, [judged("no", "ok")] * 40, new, BINARY, "macro_f1", [f"g{i // 4}" for i in range(40)])
    result["positive"] = "yes"
    assert "macro-F1 0.333 -> 1.000 (F1 of yes 0.000 -> 1.000) on 40 untouched samples in 10 groups" in verdict(result)


def test_an_undefined_metric_is_named_so() -> None:
    human: list[Label] = [1, 2, 3, 4] * 10
    new = [judged(label, "ok") for label in human]
    result = compared(human, [judged(3, "ok")] * 40, new, RATING, "spearman")
    assert verdict(result).startswith("Better: Spearman undefined -> 1.000")


@pytest.mark.parametrize("interval", [(-0.309, -0.104), (-0.1, 0.6)])
def test_the_numbers_of_older_runs_must_agree_too(interval: tuple[float, float]) -> None:
    """In older runs the interval left out the refusals, and the metric did not."""
    human: list[Label] = ["no", "yes"] * 50
    old = [judged(label, "ok") for label in human[:60]] + [judged("", "refused")] * 40
    new = [judged(FLIPPED[str(label)], "ok") for label in human[:12]] + [judged(label, "ok") for label in human[12:]]
    test = OnTest(
        initial=metrics(old, human, BINARY),
        best=metrics(new, human, BINARY),
        p_value=0.0005,
        difference_ci95=list(interval),
    )
    result = result_of(test, "macro_f1")
    assert verdict(result).startswith("No improvement could be shown")
    assert "interval and p over samples answered under both prompts" in verdict(result)
