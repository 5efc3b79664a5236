"""update_judge: the second half of J(q, p). The optimizer rewrites p by the critique; the result is the candidate p'.

The node is the same at both levels, as critique_judge is.
"""

from langgraph.runtime import Runtime

from blpo.inference.consult import consult, copies, too_long
from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase
from blpo.inference.rounds import prompts_of_update
from blpo.prompts.cases import category_names, labels_of
from blpo.prompts.delimiters import neutralise, restored
from blpo.prompts.template import render
from state.loops import UpdateState
from state.settings import Settings


async def update_judge(state: UpdateState, runtime: Runtime[Settings]) -> UpdateState:
    """Set the candidate p', or the failure if the optimizer gave no usable prompt."""
    critique = state["critique"]
    if critique is None:
        return {"candidate": None}
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "update_judge")
        max_tokens = run.settings.search.max_prompt_tokens
        question = render(
            "update_judge",
            labels=labels_of(run.settings),
            judge_prompt=neutralise(state["judge_prompt"]),
            critique=neutralise(critique),
            max_prompt_tokens=str(max_tokens),
        )
        sources = await _texts_of_batch(state, run)
        answer = await consult(
            run, question, "judge_prompt", lambda text: too_long(text, max_tokens) or copies(text, sources)
        )
        ours = "\n".join([state["judge_prompt"], *category_names(run.settings)])
    candidate = None if answer.text is None else restored(answer.text, ours)
    return {"candidate": candidate, "failure": answer.problem}


async def _texts_of_batch(state: UpdateState, run: OpenRun) -> list[str]:
    """Return the descriptions and texts of the batch; the optimizer sees them and must not copy them."""
    samples = run.batch(state)
    prompts = prompts_of_update(state, run.settings.search)
    descriptions = [d for q in prompts for d in await describe_samples(run, q, samples)]
    texts = [text for s in samples for text in (s.text, *(s.texts or ())) if text]
    return [d.text for d in descriptions if d.status == "ok"] + texts
