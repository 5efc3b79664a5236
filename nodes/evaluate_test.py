"""evaluate_test: judge the test split once, at the end, by p_0 and the selected prompt, with a paired test.

The graph's output is the return value: the content of result.json.
"""

from collections.abc import Callable, Sequence

from langgraph.runtime import Runtime

from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.panel_comparison import JudgedSplit, panel_test
from blpo.inference.progress import counter, send_event, send_phase
from blpo.inference.reserve import calls_to_pay
from blpo.inference.rounds import closed_rounds, past_trials, selected_round
from blpo.inference.search_outcome import advice, calls_by_purpose, unfinished_verdicts
from blpo.inference.search_warnings import search_warnings
from blpo.inference.selected_prompt import selected_prompt
from blpo.inference.test_comparison import compared_on_test
from blpo.inference.verdicts import judge_samples, recalled_verdicts
from state.errors import BudgetSpent
from state.events import TestedEvent
from state.loops import OuterState, RoundRecord
from state.metrics import SplitMetrics
from state.metrics_on_test import TestMetrics
from state.panel_metrics import PanelTest
from state.result import FORMAT, Result
from state.round_result import RoundResult, TrialResult
from state.settings import Settings


async def evaluate_test(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Select a round by the metric, judge the test split, and return the result."""
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "evaluate_test")
        rounds = await closed_rounds(state, run.store)
        result = await partial_result(run, rounds)
        best = await selected_prompt(run, rounds)
        count = counter(runtime, run, state, 2 * len(run.split("test")))
        result["test"] = await _test(run, best, count)
        result["stop_reason"] = state.get("stop_reason") or "rounds"
        spent = state.get("stop_reason") == "budget" or result["test"] is None
        result["status"] = "budget" if spent else "complete"
        if warnings := await search_warnings(run, rounds):
            result["warnings"] = warnings
        result["calls"] = await run.caller.usage()
        tested = 0 if result["test"] is None else len({initial_prompts(run.settings)[0], best})
        unfinished = await unfinished_verdicts(run, state)
        result["spent"] = calls_by_purpose(run, rounds, tested, unfinished, await run.store.usage())
        if (sentence := advice(run, rounds, result, state.get("stop_reason"))) is not None:
            result["advice"] = f"{sentence}."
        send_event(runtime, TestedEvent(event="tested", round=state.get("round", 0), usage=result["calls"]))
    return {"rounds": rounds, "result": result}


async def partial_result(run: OpenRun, rounds: Sequence[RoundRecord]) -> Result:
    """Return the result without the test split, for a finished or an interrupted search."""
    search = run.settings.search
    best = selected_round(rounds, search)
    validation = None
    if rounds:
        validation = SplitMetrics(initial=rounds[0]["validation"], best=rounds[best]["validation"])
    result = Result(
        format=FORMAT,
        status="interrupted",
        stop_reason="",
        metric=search.metric,
        validation=validation,
        test=None,
        rounds=[await _round_result(run, record) for record in rounds],
        best_round=best,
        calls=await run.caller.usage(),
        seconds=run.seconds,
    )
    if run.settings.task.positive is not None:
        result["positive"] = run.settings.task.positive
    if rounds and "labelled" in rounds[0] and "labelled" in rounds[best]:
        result["labelled"] = SplitMetrics(initial=rounds[0]["labelled"], best=rounds[best]["labelled"])
    return result


async def _test(run: OpenRun, best: str, count: Callable[[], None]) -> TestMetrics | None:
    """Return the metrics of both prompts on the test split; None if the budget does not suffice for all samples."""
    samples = run.split("test")
    initial, _ = initial_prompts(run.settings)
    run.budget.release()
    due = await calls_to_pay(run, {initial, best}, samples) if run.budget.is_limited else 0
    if due and not run.budget.affords(due):  # a test with all answers in the store costs nothing
        return None
    try:
        before = await judge_samples(run, initial, samples, count, split="test")
        after = await judge_samples(run, best, samples, count, split="test")
    except BudgetSpent:
        return None
    test = compared_on_test(samples, before, after, run.settings)
    if run.settings.models.judges and (panel := await _panel(run, best, JudgedSplit(samples, after))) is not None:
        test["panel"] = panel
    return test


async def _panel(run: OpenRun, best: str, test: JudgedSplit) -> PanelTest | None:
    validation = run.split("validation")
    return panel_test(JudgedSplit(validation, await recalled_verdicts(run, best, validation)), test, run.settings)


async def _round_result(run: OpenRun, record: RoundRecord) -> RoundResult:
    store = run.store
    trials = await past_trials(record, store)
    result = RoundResult(
        round=record["round"],
        judge_prompt=await store.text(record["judge_prompt_sha256"]),
        i2t_prompt=await store.text(record["i2t_prompt_sha256"]),
        validation=record["validation"],
        errors=len(record["errors"]),
        trials=[TrialResult(i2t_prompt=trial["i2t_prompt"], score=trial["score"]) for trial in trials],
    )
    if "labelled" in record:
        result["labelled"] = record["labelled"]
    if "gain" in record:
        result["gain"] = record["gain"]
    if run.settings.search.trials == "pooled":
        result["anchors"] = len(record["anchors"])
    if "failure" in record:
        result["failure"] = record["failure"]
    if "fallen" in record:
        result["fallen"] = record["fallen"]
    if "decisions" in record:
        result["decisions"] = record["decisions"]
    return result
