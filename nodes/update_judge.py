"""update_judge: the second half of J(q, p). The optimizer rewrites p by the critique; the result is the candidate p'.

The node is the same at both levels, as critique_judge is.
"""

from langgraph.runtime import Runtime

from blpo.inference.consult import Advice, consult, copies, too_long
from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase
from blpo.inference.prompt_parts import PromptPart, by_part, joined, prompt_parts, without_other_parts
from blpo.inference.rounds import prompts_of_update
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
        sources = await _texts_of_batch(state, run)
        parts = prompt_parts(state, run.settings)
        critiques = by_part(critique, parts)
        texts, problems = {}, []
        for part in parts:
            answer = await _new_text(part, critiques[part.name], sources, run) if part.name in critiques else None
            texts[part.name] = part.text if answer is None or answer.text is None else answer.text
            problems += [answer.problem] if answer is not None and answer.problem is not None else []
    if len(problems) == len(critiques):
        return {"candidate": None, "failure": problems[0]}
    return {"candidate": joined(texts), "failure": None}


async def _new_text(part: PromptPart, critique: str, sources: list[str], run: OpenRun) -> Advice:
    """Ask for a part of p rewritten by its critique; the text has the tags of the old part, if any."""
    question = render(
        "update_judge",
        labels=part.labels,
        judge_prompt=neutralise(part.text),
        critique=neutralise(critique),
        max_prompt_tokens=str(part.max_tokens),
    )
    answer = await consult(
        run, question, "judge_prompt", lambda text: too_long(text, part.max_tokens) or copies(text, sources)
    )
    if answer.text is None:
        return answer
    text = restored(answer.text, "\n".join([part.text, *part.categories]))
    return Advice(without_other_parts(text, run.settings), None)


async def _texts_of_batch(state: UpdateState, run: OpenRun) -> list[str]:
    """Return the descriptions and texts of the batch; the optimizer sees them and must not copy them."""
    samples = run.batch(state)
    prompts = prompts_of_update(state, run.settings.search)
    descriptions = [d for q in prompts for d in await describe_samples(run, q, samples)]
    texts = [text for s in samples for text in (s.text, *(s.texts or ())) if text]
    return [d.text for d in descriptions if d.status == "ok"] + texts
