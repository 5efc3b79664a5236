"""critique_judge: the first half of J(q, p). The optimizer reads I_B, described by q, and criticizes p.

The node is the same at both levels. Scored trials: in the inner loop q is the prompt on trial; in the outer loop q is
q*, and the store answers the identical request, so the adopted prompt is the scored prompt. Pooled trials: the outer
loop alone updates p, and every case has the descriptions by all q's of the round. A prompt for several tasks may be
criticized part by part (`prompts.parts`).
"""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from blpo.inference.batch_cases import batch_cases
from blpo.inference.consult import consult
from blpo.inference.open_run import run_of
from blpo.inference.progress import send_phase
from blpo.inference.prompt_parts import PromptPart, joined, prompt_parts
from blpo.inference.rounds import objections_to, prompts_of_update
from blpo.prompts.cases import Case, cases, objections
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from state.loops import UpdateState
from state.settings import Settings


async def critique_judge(state: UpdateState, runtime: Runtime[Settings]) -> UpdateState:
    """Set the critique of p_t, or the failure if the optimizer gave no critique."""
    async with run_of(runtime) as run:
        prompts = prompts_of_update(state, run.settings.search)
        if not prompts:
            return {"critique": None, "candidate": None}
        await send_phase(runtime, run, state, "critique_judge")
        wrong = await batch_cases(run, state["errors"] or [], prompts, state["judge_prompt"])
        right = await batch_cases(run, state["anchors"], prompts, state["judge_prompt"])
        answers = {}
        for part in prompt_parts(state, run.settings):
            if any(part.has(case.sample) for case in wrong):
                question = _question(part, state, wrong, right)
                answers[part.name] = await consult(run, question, "critique", lambda text: None)
    critiques = {name: answer.text for name, answer in answers.items() if answer.text is not None}
    failures = [answer.problem for answer in answers.values() if answer.problem is not None]
    critique = joined(critiques) if critiques else None
    return {"critique": critique, "candidate": None, "failure": None if critique else next(iter(failures), None)}


def _question(part: PromptPart, state: UpdateState, wrong: Sequence[Case], right: Sequence[Case]) -> str:
    """Ask for the critique of a part by the cases of its tasks."""
    return render(
        "critique_judge",
        labels=part.labels,
        objections=objections(objections_to(state, "judge")),
        judge_prompt=neutralise(part.text),
        wrong_cases=cases(case for case in wrong if part.has(case.sample)),
        right_cases=cases(case for case in right if part.has(case.sample)),
    )
