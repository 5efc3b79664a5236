"""Ablation of our own: BLPO's update by an optimizer that gets neither descriptions nor images.

The optimizer reads labels, verdicts, the judge's reasons and the texts of the same errors and anchors. A round is one
trial. The rest is as in `fixed_i2t`.
"""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from blpo.inference.consult import Advice, consult
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase, send_trial
from blpo.inference.verdicts import try_prompt
from blpo.prompts.cases import cases, labels_in_words
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from evals.methods.adopt import adopting_loop
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from evals.methods.writing import judged_cases, shown_texts, write_prompt
from state.loops import OuterState
from state.settings import Settings


async def update_blindly(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Critique and rewrite p_t like J(q, p_t), but without descriptions; score the new prompt like a trial of q."""
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "update_blindly")
        p, batch = state["judge_prompt"], run.batch(state)
        answer = await update_by_reasons(run, p, state["errors"] or [], state["anchors"])
        trial = await try_prompt(run, p, answer.text, batch, failure=answer.problem)
        send_trial(runtime, state, 0, trial)
    return {"trials": [trial]}


async def update_by_reasons(run: OpenRun, judge_prompt: str, errors: Sequence[str], anchors: Sequence[str]) -> Advice:
    """Critique and rewrite a judge prompt by labels, verdicts, reasons and texts; `errors` and `anchors` are ids."""
    p, labels = judge_prompt, labels_in_words(run.settings.task)
    wrong = await judged_cases(run, p, run.samples(errors))
    right = await judged_cases(run, p, run.samples(anchors))
    question = render(
        "methods/no_image_critique",
        labels=labels,
        judge_prompt=neutralise(p),
        wrong_cases=cases(wrong),
        right_cases=cases(right),
    )
    critique = await consult(run, question, "critique", lambda text: None)
    if critique.text is None:
        return critique
    question = render(
        "update_judge",
        labels=labels,
        judge_prompt=neutralise(p),
        critique=neutralise(critique.text),
        max_prompt_tokens=str(run.settings.search.max_prompt_tokens),
    )
    return await write_prompt(run, question, shown_texts([*wrong, *right]))


NO_IMAGE = Method(
    "no_image",
    "no image",
    adopting_loop(update_blindly=update_blindly),
    own=lambda settings: {**IMPROVING, "error_batch": 20, "anchors": 20},
    defining=rounds_for_the_budget,
)
