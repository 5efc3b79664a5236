"""critique_i2t: the optimizer reads the descriptions so far, and names the missing cues.

Scored trials, as published: compare the best and the last q of H by the descriptions and scores. Pooled trials: find
out what no description and no reason of the judge states yet that could explain the labels.
"""

from langgraph.runtime import Runtime

from blpo.inference.batch_cases import batch_cases
from blpo.inference.consult import consult
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase
from blpo.inference.rounds import best_trial, objections_to, pooled_prompts
from blpo.prompts.cases import cases, history, labels_of, objections, trial_cases
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from state.loops import InnerState, Trial
from state.settings import Settings


async def critique_i2t(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Set the critique of the I2T prompts so far, or the failure if the optimizer gave no critique."""
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "critique_i2t", len(state.get("trials", [])))
        ask = _missing_cues if run.settings.search.trials == "pooled" else _compared_trials
        answer = await consult(run, await ask(state, run), "critique", lambda text: None)
    return {"i2t_critique": answer.text, "failure": answer.problem}


async def _missing_cues(state: InnerState, run: OpenRun) -> str:
    """Return the question where trials are pooled."""
    trials, p = state.get("trials", []), state["judge_prompt"]
    ids = [*(state["errors"] or []), *state["anchors"]]
    return render(
        "critique_i2t_pooled",
        labels=labels_of(run.settings),
        objections=objections(objections_to(state, "i2t")),
        judge_prompt=neutralise(p),
        history=history(trials),
        cases=cases(await batch_cases(run, ids, pooled_prompts(trials), p)),
    )


async def _compared_trials(state: InnerState, run: OpenRun) -> str:
    """Return the published question."""
    return render(
        "critique_i2t",
        labels=labels_of(run.settings),
        objections=objections(objections_to(state, "i2t")),
        judge_prompt=neutralise(state["judge_prompt"]),
        history=history(state["trials"]),
        trials=await _trials(state, run),
    )


async def _trials(state: InnerState, run: OpenRun) -> str:
    best, last = best_trial(state["trials"]), state["trials"][-1]
    compared = [("The best so far:", best)] + ([("The last one:", last)] if last is not best else [])
    return "\n".join([await _trial(heading, trial, state, run) for heading, trial in compared])


async def _trial(heading: str, trial: Trial, state: InnerState, run: OpenRun) -> str:
    q = trial["i2t_prompt"]
    if q is None:
        return trial_cases(heading, trial, [])
    ids = [*(state["errors"] or []), *state["anchors"]]
    # The trial's prompt is judged on the batch only if the batch scores.
    candidate = None if state.get("scored_on") else trial["judge_prompt"]
    return trial_cases(heading, trial, await batch_cases(run, ids, [q], state["judge_prompt"], candidate))
