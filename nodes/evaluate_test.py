"""evaluate_test: the test split is touched once, at the end, for p_0 and the selected prompt, with a paired test.

Its return value, the content of result.json, is the graph's output.
"""

from collections.abc import Callable, Sequence

from langgraph.runtime import Runtime

from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.progress import counter, report
from blpo.inference.reserve import calls_to_pay
from blpo.inference.rounds import closed_rounds
from blpo.inference.session import Session, session_of
from blpo.inference.verdicts import judge_samples
from blpo.metrics.agreement import metrics, value
from blpo.metrics.significance import compare
from state.errors import BudgetSpent
from state.loops import OuterState, RoundRecord
from state.result import FORMAT, Result, RoundResult, SplitMetrics, TestMetrics, TrialResult
from state.settings import SearchSettings, Settings


async def evaluate_test(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Select a round by the validation metric, judge the test split, and return the result."""
    async with session_of(runtime) as session:
        report(runtime, "phase", state, phase="evaluate_test", usage=await session.calls.usage())
        rounds = await closed_rounds(state, session.store)
        result = await partial_result(session, rounds)
        best = await selected_prompt(session, rounds)
        count = counter(runtime, state, 2 * len(session.split("test")), session.budget)
        result["test"] = await _test(session, best, count)
        result["stop_reason"] = state.get("stop_reason") or "rounds"
        spent = state.get("stop_reason") == "budget" or result["test"] is None
        result["status"] = "budget" if spent else "complete"
        result["calls"] = await session.calls.usage()
        report(runtime, "tested", state, usage=result["calls"])
    return {"rounds": rounds, "result": result}


async def partial_result(session: Session, rounds: Sequence[RoundRecord]) -> Result:
    """What is known without the test split, of a search that is over or was cut short."""
    search = session.settings.search
    best = selected_round(rounds, search)
    validation = None
    if rounds:
        validation = SplitMetrics(initial=rounds[0]["validation"], best=rounds[best]["validation"])
    return Result(
        format=FORMAT,
        status="interrupted",
        stop_reason="",
        metric=search.metric,
        validation=validation,
        test=None,
        rounds=[await _round_result(session, record) for record in rounds],
        best_round=best,
        calls=await session.calls.usage(),
        seconds=session.seconds,
    )


def selected_round(rounds: Sequence[RoundRecord], search: SearchSettings) -> int:
    """The round whose prompt is returned: the best by the validation metric (the earlier on a tie), or the last."""
    if search.select == "last":
        return max(len(rounds) - 1, 0)
    return max(range(len(rounds)), key=lambda t: value(rounds[t]["validation"], search.metric), default=0)


async def selected_prompt(session: Session, rounds: Sequence[RoundRecord]) -> str:
    """The text of the selected judge prompt; p_0 where no round was judged."""
    if not rounds:
        return initial_prompts(session.settings)[0]
    return await session.store.text(rounds[selected_round(rounds, session.settings.search)]["judge_prompt_sha256"])


async def _test(session: Session, best: str, count: Callable[[], None]) -> TestMetrics | None:
    """Metrics of both prompts on the test split; None where the budget does not suffice for all of it."""
    samples, task, search = session.split("test"), session.settings.task, session.settings.search
    initial, _ = initial_prompts(session.settings)
    session.budget.release()
    if session.budget.is_limited and not session.budget.affords(await calls_to_pay(session, {initial, best}, samples)):
        return None
    try:
        before = await judge_samples(session, initial, samples, count)
        after = await judge_samples(session, best, samples, count)
    except BudgetSpent:
        return None
    labels = [sample.label for sample in samples]
    p_value, interval = compare(before, after, labels, task, search.metric, search.seed)
    return TestMetrics(
        initial=metrics(before, labels, task),
        best=metrics(after, labels, task),
        p_value=p_value,
        difference_ci95=list(interval),
    )


async def _round_result(session: Session, record: RoundRecord) -> RoundResult:
    store = session.store
    result = RoundResult(
        round=record["round"],
        judge_prompt=await store.text(record["judge_prompt_sha256"]),
        i2t_prompt=await store.text(record["i2t_prompt_sha256"]),
        validation=record["validation"],
        errors=len(record["errors"]),
        trials=[
            TrialResult(
                i2t_prompt=await store.text(trial["i2t_prompt_sha256"]) if trial["i2t_prompt_sha256"] else None,
                score=trial["score"],
            )
            for trial in record["trials"]
        ],
    )
    if "decisions" in record:
        result["decisions"] = record["decisions"]
    return result
