"""Ablation of our own: BLPO's inner loop without learning. The comparison separates search from learning.

A round tries K + 1 I2T prompts like BLPO, and adopts the best trial's judge prompt. The optimizer writes every I2T
prompt from nothing, without q_0, history or critique. A round passes nothing to the next round.
"""

import random

from langgraph.runtime import Runtime

from blpo.inference.consult import consult, too_long
from blpo.inference.open_run import run_of
from blpo.inference.progress import send_phase
from blpo.prompts.cases import labels_in_words
from blpo.prompts.template import render
from evals.methods.adopt import adopting_loop
from evals.methods.method import IMPROVING, Method
from graph.inner import inner_loop
from state.loops import InnerState
from state.settings import Settings

NUMBERS = 1_000_000
"""Numbers to draw from. The number makes a request distinct."""


async def draw_i2t(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Set q to a prompt that the optimizer writes from nothing but a number drawn from (seed, round, step)."""
    async with run_of(runtime) as run:
        step = len(state.get("trials", []))
        await send_phase(runtime, run, state, "draw_i2t", step)
        search = run.settings.search
        generator = random.Random(f"{search.seed}/{state['round']}/{step}/i2t")
        question = render(
            "methods/random_i2t",
            labels=labels_in_words(run.settings.task),
            number=str(generator.randrange(NUMBERS)),
            max_prompt_tokens=str(search.max_prompt_tokens),
        )
        answer = await consult(run, question, "i2t_prompt", lambda text: too_long(text, search.max_prompt_tokens))
    return {"i2t_prompt": answer.text, "failure": answer.problem}


RANDOM_I2T = Method(
    "random_i2t",
    "random I2T",
    adopting_loop(search_i2t=inner_loop({"draw_i2t": draw_i2t}, start="draw_i2t")),
    own=lambda settings: {**IMPROVING, "error_batch": 10, "anchors": 10, "inner_steps": 5},
)
