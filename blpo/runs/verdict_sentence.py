"""The outcome of a run in one sentence, for summaries, reports and the deployed judge."""

from collections.abc import Iterator
from typing import Literal

from blpo.metrics.readings import SIGNIFICANT, reading, strict_reading, strict_value
from blpo.runs.ceiling_sentence import ceiling_sentence
from blpo.runs.task_sentence import task_sentence
from blpo.runs.wording import figure, in_groups, metric_name, probability
from state.metrics_on_test import TestMetrics
from state.result import Result

VerdictWord = Literal["better", "worse", "higher", "open"]
"""better, worse: the test shows a difference, and difference and interval have one sign. higher: the same as better,
but the new prompt is no better than guessing. open: no difference could be shown."""


def outcome(result: Result) -> VerdictWord:
    """Return the outcome of the test. Difference, interval and p-value must agree for a word but `open`."""
    test = result["test"]
    if test is None or len(set(judge_prompts(result))) == 1 or test["p_value"] >= SIGNIFICANT:
        return "open"
    difference = strict_difference(test, result["metric"])
    low, high = test["difference_ci95"]
    if difference > 0 and low > 0:
        return "better" if is_beyond_guessing(test) else "higher"
    return "worse" if difference < 0 and high < 0 else "open"


def strict_difference(test: TestMetrics, metric: str) -> float:
    """Return metric(best) - metric(initial) with failures as wrong. An undefined value counts as 0."""
    return strict_value(test["best"], metric) - strict_value(test["initial"], metric)


def is_beyond_guessing(test: TestMetrics) -> bool:
    """Return True if the selected prompt is better than guessing: the interval of its kappa lies above 0.

    Older runs have no interval. For their tests kappa itself counts.
    """
    if (beyond := test.get("beyond_guessing")) is not None:
        return beyond["ci95"][0] > 0
    ratings = strict_reading(test["best"], "quadratic_kappa")
    return (strict_value(test["best"], "kappa") if ratings is None else ratings) > 0


def verdict(result: Result) -> str:
    """Say if the best prompt is better on the test split, or why nobody knows.

    With raters also if the judge is as good as one; for several tasks also which of them fell.
    """
    return " ".join(filter(None, (_verdict(result), ceiling_sentence(result), task_sentence(result))))


def _verdict(result: Result) -> str:
    test, metric = result["test"], result["metric"]
    if test is None:
        return f"Not tested: {why_not_tested(result)}."
    before, after = (figure(strict_reading(test[side], metric)) for side in ("initial", "best"))
    initial, best = judge_prompts(result)
    if initial == best:
        others = "selected" if len(result["rounds"]) > 1 else "tried"
        return (
            f"The initial prompt stays: no other was {others} ({metric_name(metric)} {after} {_place(result, test)})."
        )
    positive = _positive(test, metric, result.get("positive"))
    numbers = f"{metric_name(metric)} {before} -> {after}{positive} {_place(result, test)}"
    words = {
        "better": "Better",
        "worse": "Worse",
        "higher": "Higher, but no better than guessing",
        "open": "No improvement could be shown",
    }
    return f"{words[outcome(result)]}: {numbers} ({'; '.join(_evidence(test, metric))})."


def _place(result: Result, test: TestMetrics) -> str:
    """Return the samples of the test: `on 70 untouched samples in 13 groups, 2 left out (errors)`."""
    labels = result.get("lineage", {}).get("labels")
    corrected = 0 if labels is None else labels["test"]
    left_out = test.get("left_out", 0)
    size = in_groups(test["best"]["n"] - left_out, test.get("groups"), "sample" if corrected else "untouched sample")
    tasks = f"{len(test['by_task'])} tasks" if "by_task" in test else ""
    parts = [f"on {size}", tasks, f"{corrected} relabelled" if corrected else "", left_out_note(left_out)]
    return ", ".join(filter(None, parts))


def left_out_note(left_out: int) -> str:
    """Return the number of samples with an error; an empty text for none."""
    return f"{left_out} left out (errors)" if left_out else ""


def judge_prompts(result: Result) -> tuple[str, str]:
    """Return the initial and the best judge prompt; two empty texts for a run without a judged round."""
    rounds = result["rounds"]
    return (rounds[0]["judge_prompt"], rounds[result["best_round"]]["judge_prompt"]) if rounds else ("", "")


def _positive(test: TestMetrics, metric: str, positive: str | None) -> str:
    """Return F1 of the positive label beside macro-F1; an empty text for other metrics."""
    if positive is None or metric != "macro_f1":
        return ""
    before, after = (figure(strict_reading(test[side], f"f1.{positive}")) for side in ("initial", "best"))
    return f" ({metric_name(f'f1.{positive}')} {before} -> {after})"


def _evidence(test: TestMetrics, metric: str) -> Iterator[str]:
    low, high = test["difference_ci95"]
    interval = f"95 % interval {low:+.3f} to {high:+.3f}"
    yield f"difference {strict_difference(test, metric):+.3f}, {interval}, {probability(test['p_value'])}"
    if (beyond := test.get("beyond_guessing")) is not None and not is_beyond_guessing(test):
        ends = "{:+.3f} to {:+.3f}".format(*beyond["ci95"])
        yield f"{metric_name(beyond['metric'])} {figure(beyond['value'])}, 95 % interval {ends}, and guessing has 0"
    if min(test["initial"]["coverage"], test["best"]["coverage"]) < 1:
        if "left_out" not in test:
            yield "interval and p over samples answered under both prompts"
        else:
            answered = [f"{figure(reading(test[side], metric))}" for side in ("initial", "best")]
            yield f"failures count as wrong; over the answered samples alone {' -> '.join(answered)}"


def why_not_tested(result: Result) -> str:
    """Return the reason for a result without a test."""
    if result["status"] in ("interrupted", "failed"):
        return "the test split is judged once, at the end of the search"
    return "what limits left did not suffice to judge the test split under both prompts"
