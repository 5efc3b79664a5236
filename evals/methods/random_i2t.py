"""Ablation of our own: BLPO's inner loop without learning. Is it the search or the learning that helps?

A round tries K + 1 I2T prompts as BLPO does, and adopts the best trial's judge prompt; but each of them is asked from
the optimizer afresh, without q_0, history or critique. Nothing is carried on to the next round.
"""

import random
from typing import Literal

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.consult import consult, too_long
from blpo.inference.open_run import run_of, settings_of
from blpo.inference.progress import send_phase
from blpo.prompts.cases import labels_in_words
from blpo.prompts.template import render
from evals.methods.method import Method
from evals.methods.outer_loop import outer_loop
from graph.stopping import stopping
from nodes.critique_judge import critique_judge
from nodes.judge import judge_trial
from nodes.update_judge import update_judge
from nodes.verbalize import verbalize
from state.loops import InnerInput, InnerOutput, InnerState
from state.settings import Settings

NUMBERS = 1_000_000
"""How many prompts could be asked for; the number is what makes a request differ from the others."""


async def draw_i2t(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Set q to one that the optimizer writes with nothing to go by but a number drawn from (seed, round, step)."""
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


def after_trial(state: InnerState, runtime: Runtime[Settings]) -> Literal["draw_i2t", "__end__"]:
    """Draw another q, until K + 1 trials are done or the search stops."""
    done = len(state.get("trials", [])) > settings_of(runtime).search.inner_steps
    return "__end__" if done or state.get("stop_reason") else "draw_i2t"


builder = StateGraph(InnerState, context_schema=CONTEXT, input_schema=InnerInput, output_schema=InnerOutput)
builder.add_node("draw_i2t", stopping(draw_i2t))
builder.add_node("verbalize", stopping(verbalize))
builder.add_node("critique_judge", stopping(critique_judge))
builder.add_node("update_judge", stopping(update_judge))
builder.add_node("judge", stopping(judge_trial))

builder.add_edge(START, "draw_i2t")
builder.add_edge("draw_i2t", "verbalize")
builder.add_edge("verbalize", "critique_judge")
builder.add_edge("critique_judge", "update_judge")
builder.add_edge("update_judge", "judge")
builder.add_conditional_edges("judge", after_trial)

RANDOM_I2T = Method("random_i2t", "random I2T", outer_loop(search_i2t=builder.compile(name="search_i2t")))
