"""Ablation (Pan et al. 2026): BLPO with the judge prompt as the I2T prompt, q = p_t.

Descriptions speak of the subjects of the judge prompt, and change with the judge prompt. The rest is as in `fixed_i2t`.
"""

from langgraph.runtime import Runtime

from evals.methods.adopt import adopting_loop
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from graph.inner import search_i2t
from state.loops import OuterState
from state.settings import Settings


async def take_judge_prompt(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Set q to p_t."""
    return {"i2t_prompt": state["judge_prompt"]}


JUDGE_AS_I2T = Method(
    "judge_as_i2t",
    "judge prompt as I2T",
    adopting_loop(take_judge_prompt=take_judge_prompt, search_i2t=search_i2t),
    own=lambda settings: {**IMPROVING, "error_batch": 20, "anchors": 20},
    defining=lambda settings: {**rounds_for_the_budget(settings), "inner_steps": 0},
)
