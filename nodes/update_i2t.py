"""update_i2t: the optimizer writes the next I2T prompt, q_{k+1}.

Scored trials, as published: better the best q of H. Pooled trials: ask for what no description states yet.
"""

from langgraph.runtime import Runtime

from blpo.inference.consult import consult, too_long
from blpo.inference.open_run import run_of
from blpo.inference.progress import send_phase
from blpo.inference.rounds import best_trial
from blpo.prompts.cases import history, labels_of
from blpo.prompts.delimiters import neutralise, restored
from blpo.prompts.template import render
from state.loops import InnerState
from state.settings import Settings


async def update_i2t(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Set q to the next prompt to try; without a prompt set q to None, and the failure."""
    critique, trials = state["i2t_critique"], state.get("trials", [])
    if critique is None:
        return {"i2t_prompt": None}
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "update_i2t", len(trials))
        search = run.settings.search
        values = {
            "labels": labels_of(run.settings),
            "history": history(trials),
            "critique": neutralise(critique),
            "max_prompt_tokens": str(search.max_prompt_tokens),
        }
        if search.trials == "pooled":
            best, question = "", render("update_i2t_pooled", **values)
        else:
            best = best_trial(trials)["i2t_prompt"] or ""
            question = render("update_i2t", **values, i2t_prompt=neutralise(best))
        answer = await consult(run, question, "i2t_prompt", lambda text: too_long(text, search.max_prompt_tokens))
    next_prompt = None if answer.text is None else restored(answer.text, best)
    return {"i2t_prompt": next_prompt, "failure": answer.problem}
