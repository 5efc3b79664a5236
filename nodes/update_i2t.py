"""update_i2t: the optimizer writes q_{k+1}, the next I2T prompt to try."""

from langgraph.runtime import Runtime

from blpo.inference.consult import consult, too_long
from blpo.inference.open_run import run_of
from blpo.inference.progress import send_phase
from blpo.inference.rounds import best_trial
from blpo.prompts.cases import history, labels_in_words
from blpo.prompts.delimiters import neutralise, restored
from blpo.prompts.template import render
from state.loops import InnerState
from state.settings import Settings


async def update_i2t(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Set q to the next prompt to try; without a prompt set q to None, and the failure."""
    critique = state["i2t_critique"]
    if critique is None:
        return {"i2t_prompt": None}
    async with run_of(runtime) as run:
        step = len(state["trials"])
        await send_phase(runtime, run, state, "update_i2t", step)
        best = best_trial(state["trials"])["i2t_prompt"] or ""
        max_tokens = run.settings.search.max_prompt_tokens
        question = render(
            "update_i2t",
            labels=labels_in_words(run.settings.task),
            history=history(state["trials"]),
            i2t_prompt=neutralise(best),
            critique=neutralise(critique),
            max_prompt_tokens=str(max_tokens),
        )
        answer = await consult(run, question, "i2t_prompt", lambda text: too_long(text, max_tokens))
    next_prompt = None if answer.text is None else restored(answer.text, best)
    return {"i2t_prompt": next_prompt, "failure": answer.problem}
