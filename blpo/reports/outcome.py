"""Outcome of a run in words: better, worse, or not known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from blpo.metrics.readings import strict_reading
from blpo.metrics.significance import FEW_SAMPLES
from blpo.reports.label_source import LabelSource, label_source
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictChange
from blpo.runs.verdict_sentence import SIGNIFICANT, judge_prompts, why_not_tested
from blpo.runs.wording import STOP_REASONS, counted, higher_limits, in_groups, metric_name, probability, single_line
from state.result import Result, TestMetrics

Tone = Literal["better", "worse", "open"]


@dataclass(frozen=True, slots=True)
class Tested:
    """Search metric before and after on the test split, with failures counted as wrong."""

    before: float
    after: float
    low: float
    high: float
    p_value: float
    n: int
    coverage: float
    """The lower coverage of the two prompts."""
    groups: int
    """Number of groups: the independent observations of the test."""

    @classmethod
    def of(cls, result: Result) -> "Tested | None":
        """Return the numbers of the test; None for a run without a test."""
        test = result["test"]
        if test is None:
            return None
        before, after = (strict_reading(test[side], result["metric"]) for side in ("initial", "best"))
        low, high = test["difference_ci95"]
        coverage = min(test["initial"]["coverage"], test["best"]["coverage"])
        n = test["best"]["n"]
        return cls(before, after, low, high, test["p_value"], n, coverage, test.get("groups", n))

    @property
    def size(self) -> str:
        """Size of the test split: `72 samples in 54 groups`."""
        return in_groups(self.n, self.groups)


def tone(result: Result) -> Tone:
    """Return the test's outcome at the 5 % level."""
    tested = Tested.of(result)
    if tested is None or tested.p_value >= SIGNIFICANT or len(set(judge_prompts(result))) == 1:
        return "open"
    return "better" if tested.after > tested.before else "worse"


def headline(result: Result, source: LabelSource) -> str:
    """Return the verdict in a few words, for the top of a page."""
    if result["test"] is None:
        return {"failed": "The run failed before the test", "interrupted": "Not finished yet"}.get(
            result["status"], "Not tested: the budget was spent"
        )
    if len(set(judge_prompts(result))) == 1:
        return "The initial prompt stays"
    return {
        "better": f"The new prompt agrees better with {source.name}",
        "worse": f"The new prompt agrees worse with {source.name}",
        "open": "No improvement could be shown",
    }[tone(result)]


def meaning(run: RunRecord) -> list[str]:
    """Explain the numbers, a sentence or two for a number."""
    tested = Tested.of(run.result)
    sentences = _untested(run) if tested is None else _tested(run, tested)
    return [f"Warning: {single_line(warning)}" for warning in run.result.get("warnings", [])] + list(sentences)


def _tested(run: RunRecord, tested: Tested) -> Iterator[str]:
    metric = metric_name(run.result["metric"])
    changes = [run.change(row.id) for row in run.best.values() if row.split == "test"]
    if changes:
        yield _counts(changes, label_source(run.settings.data))
    if len(set(judge_prompts(run.result))) == 1:
        yield (
            "No other prompt did better on the validation split, so judge.yaml holds the prompt that the run began"
            " with. There is nothing to compare."
        )
    elif tone(run.result) == "open":
        yield (
            f"The 95 % interval of the difference in {metric} runs from {tested.low:+.3f} to {tested.high:+.3f}: a"
            f" test of {tested.size} can't tell the two prompts apart ({probability(tested.p_value)})."
            " That does not show that they are equal; more test samples would narrow the interval."
        )
    else:
        yield (
            f"A difference this large would be rare if both prompts were equally good ({probability(tested.p_value)})."
            f" The true difference in {metric} probably lies between {tested.low:+.3f} and {tested.high:+.3f}."
        )
    if tone(run.result) == "worse":
        yield "Keep the first prompt: validation favoured one that does worse on samples which the search never saw."
    yield from _cautions(run.result["test"], tested)


def _counts(changes: Iterable[VerdictChange], source: LabelSource) -> str:
    changes = list(changes)
    fixed, broken = changes.count("fixed"), changes.count("broken")
    after = changes.count("right") + fixed
    before = changes.count("right") + broken
    return (
        f"Of {counted(len(changes), 'sample')} that the search never saw, the judge agreed with {source.name} on"
        f" {before} under the first prompt and on {after} under the selected one: {fixed} fixed, {broken} broken."
    )


def _cautions(test: TestMetrics | None, tested: Tested) -> Iterator[str]:
    if test is None:
        return
    best = test["best"]
    if best["strict"]["accuracy"] <= best["majority_baseline"]:
        yield (
            f"Careful: always answering the most frequent label would be right on {best['majority_baseline']:.0%}, and"
            f" the judge is right on {best['strict']['accuracy']:.0%}."
        )
    if tested.coverage < 1:
        yield (
            f"Not every sample was answered (coverage {tested.coverage:.1%}). Refusals and unreadable answers count as"
            " wrong in the metric; interval and p-value use the samples answered under both prompts."
        )
    if tested.groups < FEW_SAMPLES:
        yield f"A test of {tested.size} is small: chance moves the metric by a lot."


def _untested(run: RunRecord) -> Iterator[str]:
    result = run.result
    if result["status"] == "failed":
        yield f"The run ended with an error: {single_line(result['stop_reason'])}"
    yield f"There is no test: {why_not_tested(result)}."
    rounds = result["rounds"]
    if rounds:
        values = [strict_reading(record["validation"], result["metric"]) for record in rounds]
        yield (
            f"On validation, which selects and therefore flatters, {metric_name(result['metric'])} was"
            f" {values[0]:z.3f} under the first prompt and {values[result['best_round']]:z.3f} under the selected one."
        )
    else:
        yield "No round was judged, so there is nothing to show but the settings and the calls."
    if result["status"] == "budget":
        yield f"Higher limits go on where it stopped: blpo resume RUN {higher_limits(run.settings.limits)}"
    else:
        yield "What was paid for is kept; blpo resume RUN goes on."


def stopped(result: Result) -> str:
    """Return the reason why the search ended, in words."""
    return STOP_REASONS.get(result["stop_reason"], single_line(result["stop_reason"]))
