"""critique_judge: the first half of J(q, p). The optimizer reads I_B, described by q, and criticizes p.

The node is the same at both levels. Scored trials: in the inner loop q is the prompt on trial; in the outer loop q is
q*, and the store answers the identical request, so the adopted prompt is the scored prompt. Pooled trials: the outer
loop alone updates p, and every case has the descriptions by all q's of the round.
"""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from blpo.inference.batch_cases import batch_cases
from blpo.inference.consult import consult
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase
from blpo.inference.rounds import objections_to, prompts_of_update
from blpo.prompts.cases import cases, labels_of, objections
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
        question = await _question(state, prompts, run)
        answer = await consult(run, question, "critique", lambda text: None)
    return {"critique": answer.text, "candidate": None, "failure": answer.problem}


async def _question(state: UpdateState, i2t_prompts: Sequence[str], run: OpenRun) -> str:
    p = state["judge_prompt"]
    wrong = await batch_cases(run, state["errors"] or [], i2t_prompts, p)
    right = await batch_cases(run, state["anchors"], i2t_prompts, p)
    return render(
        "critique_judge",
        labels=labels_of(run.settings),
        objections=objections(objections_to(state, "judge")),
        judge_prompt=neutralise(p),
        wrong_cases=cases(wrong),
        right_cases=cases(right),
    )
