"""TextGrad-style (Yuksekgonul et al. 2024; Nature 2025): feedback for each sample, summed up in one update.

The optimizer sees a single sample at a time with the image, and says how the prompt should change for the sample. Then
the optimizer rewrites the prompt once by the feedback of the whole batch, without images. The new prompt stays if the
loss on the validation split falls, and is reverted otherwise. Unlike APO, a round is a single trial without a search.
"""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from blpo.inference.consult import Advice, consult
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase, send_trial
from blpo.inference.verdicts import try_prompt
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from evals.methods.adopt import adopting_loop
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from evals.methods.optimizer_vision import require_sight
from evals.methods.writing import ask_all, judged_cases, message, shown_texts, with_images, write_prompt
from state.loops import OuterState
from state.settings import Settings


async def descend(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Get feedback on the errors and anchors, update the prompt once, and try the update on the validation split."""
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "descend")
        p = state["judge_prompt"]
        batch = run.batch(state)
        rows = await judged_cases(run, p, batch)
        answers = await ask_all(run, lambda row: _feedback(run, p, row), rows)
        answer = await _update(run, p, [row for row in answers if row.feedback is not None])
        trial = await try_prompt(run, p, answer.text, run.split("validation"), failure=answer.problem)
        send_trial(runtime, state, 0, trial)
    return {"trials": [trial]}


async def _update(run: OpenRun, judge_prompt: str, rows: Sequence[Case]) -> Advice:
    """Rewrite the prompt by the feedback of all cases."""
    if not rows:
        return Advice(None, "no feedback of the batch was of use")
    question = render(
        "methods/textgrad_update",
        labels=labels_in_words(run.settings.task),
        judge_prompt=neutralise(judge_prompt),
        cases=cases(rows),
        max_prompt_tokens=str(run.settings.search.max_prompt_tokens),
    )
    return await write_prompt(run, question, shown_texts(rows))


async def _feedback(run: OpenRun, judge_prompt: str, row: Case) -> Case:
    """Return the case with the optimizer's feedback; without feedback if the reply is unusable."""
    images, _ = await with_images(run, [row])
    question = render(
        "methods/textgrad_feedback",
        labels=labels_in_words(run.settings.task),
        judge_prompt=neutralise(judge_prompt),
        case=cases([Case(row.sample, row.verdict)]),
    )
    answer = await consult(run, message(images, question), "feedback", lambda text: None)
    return Case(row.sample, row.verdict, feedback=answer.text)


TEXTGRAD = Method(
    "textgrad",
    "TextGrad-style",
    adopting_loop(descend=descend),
    own=lambda settings: {**IMPROVING, "error_batch": 10, "anchors": 10},
    defining=rounds_for_the_budget,
    require=require_sight,
)
