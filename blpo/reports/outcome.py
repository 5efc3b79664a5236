"""Outcome of a run in words: better, worse, or not known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from blpo.metrics.readings import strict_reading
from blpo.metrics.significance import FEW_SAMPLES
from blpo.reports.label_source import LabelSource, label_source
from blpo.runs.lean_sentence import lean_sentences
from blpo.runs.run_record import RunRecord
from blpo.runs.task_sentence import task_sentence
from blpo.runs.verdict_rows import VerdictChange, VerdictRow
from blpo.runs.verdict_sentence import judge_prompts, outcome, strict_difference, why_not_tested
from blpo.runs.wording import (
    counted,
    figure,
    higher_limits,
    in_groups,
    metric_name,
    probability,
    single_line,
)
from state.metrics_on_test import TestMetrics
from state.result import Result
from state.settings import Settings

Tone = Literal["better", "worse", "open"]


@dataclass(frozen=True, slots=True)
class Tested:
    """Search metric before and after on the test split, with failures counted as wrong."""

    before: float | None
    """None if undefined."""
    after: float | None
    difference: float
    low: float
    high: float
    p_value: float
    n: int
    """Samples without an error under either prompt."""
    left_out: int
    """Samples with an error."""
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
        left_out = test.get("left_out", 0)
        n = test["best"]["n"] - left_out
        return cls(
            before=before,
            after=after,
            difference=strict_difference(test, result["metric"]),
            low=low,
            high=high,
            p_value=test["p_value"],
            n=n,
            left_out=left_out,
            coverage=coverage,
            groups=test.get("groups", n),
        )

    @property
    def size(self) -> str:
        """Size of the test split: `72 samples in 54 groups`."""
        return in_groups(self.n, self.groups)


def tone(result: Result) -> Tone:
    """Return the colour of the test's outcome at the 5 % level. A prompt that only guesses is no better prompt."""
    word = outcome(result)
    return "open" if word == "higher" else word


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
        "higher": "Higher, but no better than guessing",
        "open": "No improvement could be shown",
    }[outcome(result)]


def meaning(run: RunRecord) -> list[str]:
    """Explain the numbers, a sentence or two for a number."""
    tested = Tested.of(run.result)
    sentences = _untested(run) if tested is None else _tested(run, tested)
    return [f"Warning: {single_line(warning)}" for warning in run.result.get("warnings", [])] + list(sentences)


def _tested(run: RunRecord, tested: Tested) -> Iterator[str]:
    metric = metric_name(run.result["metric"])
    changes = [run.change(row.id) for row in run.best.values() if row.split == "test" and not _is_left_out(run, row)]
    if changes:
        yield _counts(changes, run.settings)
    if sentence := task_sentence(run.result):
        yield sentence
    yield from lean_sentences(run.result)
    if len(set(judge_prompts(run.result))) == 1:
        yield (
            "No other prompt did better on the validation split, so judge.yaml holds the prompt that the run began"
            " with. There is nothing to compare."
        )
    elif outcome(run.result) == "open":
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
    if outcome(run.result) == "higher":
        yield "The selected prompt agrees with the labels no better than guessing would: don't rely on its verdicts."
    if tone(run.result) == "worse":
        yield "Keep the first prompt: validation favoured one that does worse on samples which the search never saw."
    yield from _cautions(run.result["test"], tested)


def _is_left_out(run: RunRecord, row: VerdictRow) -> bool:
    return "error" in (row.status, run.initial[row.id].status)


def _counts(changes: Iterable[VerdictChange], settings: Settings) -> str:
    changes, source = list(changes), label_source(settings)
    in_orders = " in both orders" if settings.task.has_both_orders else ""
    fixed, broken = changes.count("fixed"), changes.count("broken")
    after = changes.count("right") + fixed
    before = changes.count("right") + broken
    tasks = f" of {len(settings.task_names)} tasks" if settings.task_names else ""
    return (
        f"Of {counted(len(changes), 'sample')}{tasks} that the search never saw, the judge agreed with {source.name}"
        f"{in_orders} on {before} under the first prompt and on {after} under the selected one: {fixed} fixed,"
        f" {broken} broken."
    )


def _cautions(test: TestMetrics | None, tested: Tested) -> Iterator[str]:
    if test is None:
        return
    best = test["best"]
    accuracy, majority = best["strict"].get("accuracy"), best["strict"].get("majority_baseline")
    if accuracy is not None and majority is not None and accuracy <= majority:
        yield (
            f"Careful: always answering the most frequent label would be right on {majority:.0%}, and"
            f" the judge is right on {accuracy:.0%}."
        )
    if tested.coverage < 1:
        yield (
            f"Not every sample was answered (coverage {tested.coverage:.1%}). Refusals and unreadable answers count as"
            f" wrong in the metric{_POPULATION['left_out' in test]}."
        )
    if tested.left_out:
        yield (
            f"{counted(tested.left_out, 'sample')} left out: the judge could not be asked under one of the prompts"
            " (network, server, quota). All numbers of the test are over the other samples."
        )
    if tested.groups < FEW_SAMPLES:
        yield f"A test of {tested.size} is small: chance moves the metric by a lot."


_POPULATION = {
    True: ", in the interval and in the test; the table of metrics shows the answered samples alone",
    False: "; interval and p-value use the samples answered under both prompts",
}
"""Samples of interval and test: in runs of this version, and in older runs."""


def _untested(run: RunRecord) -> Iterator[str]:
    result = run.result
    if result["status"] == "failed":
        yield f"The run ended with an error: {single_line(result['stop_reason'])}"
    yield f"There is no test: {why_not_tested(result)}."
    rounds = result["rounds"]
    if rounds:
        values = [strict_reading(record["validation"], result["metric"]) for record in rounds]
        yield (
            f"On validation, which took part in the selection and so flatters, {metric_name(result['metric'])} was"
            f" {figure(values[0])} under the first prompt and {figure(values[result['best_round']])} under the selected"
            " one."
        )
    else:
        yield "No round was judged, so there is nothing to show but the settings and the calls."
    if result["status"] == "budget":
        yield f"Higher limits go on where it stopped: blpo resume RUN {higher_limits(run.settings.limits)}"
    else:
        yield "What was paid for is kept; blpo resume RUN goes on."


def validation_note(run: RunRecord, *, has_band: bool) -> str:
    """Return the caution below the curve of validation."""
    band = "The band is the 95 % interval of each value. " if has_band else ""
    chosen = run.settings.search.select == "best"
    flatters = "The curve flatters the selected prompt, because the curve took part in the choice. " if chosen else ""
    tested = Tested.of(run.result)
    return f"{band}{flatters}The claim is the value on the test split{f': {figure(tested.after)}' if tested else ''}."
