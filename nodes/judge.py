"""judge: f(x; p). The frozen judge labels images by a judge prompt; the judge always sees the image.

Outer loop (`judge`): adopt the candidate as p_t and judge the train and validation splits by p_t.
Inner loop (`judge_trial`, for scored trials alone): judge I_B by p' = J(q, p_t) and score q by the fall of the loss.
"""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import counter, send_event, send_phase, send_trial
from blpo.inference.reserve import reserve_test_of
from blpo.inference.rounds import best_round, best_trial, closed_rounds, fallen_tasks, is_new
from blpo.inference.selected_prompt import selected_prompt
from blpo.inference.verdicts import judge_samples, try_prompt
from blpo.metrics.agreement import value
from blpo.metrics.gain import Gain
from blpo.metrics.task_metrics import gain_on, measured
from state.events import JudgedEvent
from state.loops import InnerState, OuterState, RoundRecord, Trial
from state.round_result import GainResult
from state.settings import Settings
from state.verdict import Verdict


async def judge(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Adopt the candidate as p_t (p_0 at first; p_{t-1} without a candidate) and judge train and validation.

    A candidate under which one of several tasks falls by more than `search.floor` is not adopted: p_{t-1} stays.
    """
    async with run_of(runtime) as run:
        p_0, q_0 = initial_prompts(run.settings)
        rounds = await closed_rounds(state, run.store)
        t = len(rounds)
        p = state.get("candidate") or state.get("judge_prompt") or p_0
        q = state.get("i2t_prompt") or q_0
        await send_phase(runtime, run, {"round": t}, "judge")
        search = run.settings.search
        if t >= search.outer_rounds:  # no prompt follows p_t
            await reserve_test_of(run, [await selected_prompt(run, rounds), p])
        train, validation = run.split("train"), run.split("validation")
        count = counter(runtime, run, {"round": t}, len(train) + len(validation))
        on_train = await judge_samples(run, p, train, count, split="train")
        verdicts = await judge_samples(run, p, validation, count, split="validation")
        on_validation = measured(verdicts, validation, run.settings)
        event = JudgedEvent(
            event="judged", round=t, metric=search.metric, validation=value(on_validation, search.metric)
        )
        record = RoundRecord(
            round=t,
            judge_prompt_sha256=await run.store.put_text(p),
            i2t_prompt_sha256=await run.store.put_text(q),
            validation=on_validation,
            errors=[],
            anchors=[],
            trials=[],
        )
        if search.select_on == "labelled":
            record["labelled"] = measured([*on_train, *verdicts], [*train, *validation], run.settings)
            event["labelled"] = value(record["labelled"], search.metric)
            gain = await _gain(run, rounds, p, [*on_train, *verdicts])
            if gain is not None:
                record["gain"] = GainResult(difference=gain.difference, noise=gain.noise)
        if fallen := fallen_tasks(record, rounds, search):
            record["fallen"] = event["fallen"] = fallen
            p = state["judge_prompt"]
        send_event(runtime, event)
    return {
        "round": t,
        "judge_prompt": p,
        "i2t_prompt": q,
        "i2t_is_new": is_new(q, rounds),
        "rounds": [*rounds, record],
        "errors": None,
        "anchors": [],
        "scored_on": [],
        "trials": [],
        "decisions": [],
        "critique": None,
        "candidate": None,
        "failure": None,
    }


async def _gain(run: OpenRun, rounds: Sequence[RoundRecord], p: str, verdicts: Sequence[Verdict]) -> Gain | None:
    """Return the gain of p, with `verdicts` on train and validation, over the best prompt before; None in round 0."""
    if not rounds:
        return None
    search, samples = run.settings.search, run.labelled
    best = await run.store.text(rounds[best_round(rounds, search)]["judge_prompt_sha256"])
    before = verdicts if best == p else await judge_samples(run, best, samples)
    return gain_on(before, verdicts, samples, run.settings)


async def judge_trial(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Judge the samples of the score by the trial's prompt, score the trial, and go back to the best q so far.

    The samples are outside of the batch, so that the score is no score on the very cases that the prompt was written
    from; or the batch itself, as published (`search.score_on`).
    """
    step = len(state.get("trials", []))
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "judge", step)
        trial = await _scored(state, run)
    trials = [*state.get("trials", []), trial]
    send_trial(runtime, state, step, trial)
    return {"trials": trials, "i2t_prompt": best_trial(trials)["i2t_prompt"]}


async def _scored(state: InnerState, run: OpenRun) -> Trial:
    return await try_prompt(
        run,
        state["judge_prompt"],
        state["candidate"],
        run.scored_samples(state),
        i2t_prompt=state["i2t_prompt"],
        failure=state["failure"],
        by_metric=bool(state.get("scored_on")),
    )
