"""The inner loop: with p_t fixed, learn the I2T prompt q whose descriptions make the update of p most useful.

A trial of q: verbalize the batch by q, let J(q, p_t) = critique_judge, update_judge write a trial prompt p', judge the
batch by p' and score q. First q_0 is tried; then K times: critique the best and the last q, update, try again. What is
handed back is q* = argmax of the score over all K + 1 trials.
"""

from typing import Literal

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.open_run import settings_of
from graph.stopping import stopping
from nodes.critique_i2t import critique_i2t
from nodes.critique_judge import critique_judge
from nodes.judge import judge_trial
from nodes.update_i2t import update_i2t
from nodes.update_judge import update_judge
from nodes.verbalize import verbalize
from state.loops import InnerInput, InnerOutput, InnerState
from state.settings import Settings


def after_trial(state: InnerState, runtime: Runtime[Settings]) -> Literal["critique_i2t", "__end__"]:
    """Learn a better q, until K + 1 trials are done or the search stops."""
    done = len(state.get("trials", [])) > settings_of(runtime).search.inner_steps
    return "__end__" if done or state.get("stop_reason") else "critique_i2t"


builder = StateGraph(InnerState, context_schema=CONTEXT, input_schema=InnerInput, output_schema=InnerOutput)
builder.add_node("verbalize", stopping(verbalize))
builder.add_node("critique_judge", stopping(critique_judge))
builder.add_node("update_judge", stopping(update_judge))
builder.add_node("judge", stopping(judge_trial))
builder.add_node("critique_i2t", stopping(critique_i2t))
builder.add_node("update_i2t", stopping(update_i2t))

builder.add_edge(START, "verbalize")
builder.add_edge("verbalize", "critique_judge")
builder.add_edge("critique_judge", "update_judge")
builder.add_edge("update_judge", "judge")
builder.add_conditional_edges("judge", after_trial)
builder.add_edge("critique_i2t", "update_i2t")
builder.add_edge("update_i2t", "verbalize")

search_i2t = builder.compile(name="search_i2t")
