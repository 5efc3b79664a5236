"""The inner loop: with p_t fixed, learn the I2T prompt q with the most useful descriptions for the update of p.

A trial of q: describe the batch by q, let J(q, p_t) = critique_judge, update_judge write a trial prompt p', judge the
batch by p' and score q. The first trial is of q_0. Then K times: critique the best and the last q, update q, try again.
The result is q* = argmax of the score over all K + 1 trials.
"""

from collections.abc import Mapping
from itertools import pairwise

from langgraph.graph import END, START
from langgraph.graph.state import CompiledStateGraph, StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.open_run import settings_of
from graph.stopping import Node, stopping
from nodes.critique_i2t import critique_i2t
from nodes.critique_judge import critique_judge
from nodes.judge import judge_trial
from nodes.update_i2t import update_i2t
from nodes.update_judge import update_judge
from nodes.verbalize import verbalize
from state.loops import InnerInput, InnerOutput, InnerState
from state.settings import Settings

InnerLoop = CompiledStateGraph[InnerState, Settings, InnerInput, InnerOutput]


def inner_loop(steps: Mapping[str, Node[InnerState]], start: str = "verbalize") -> InnerLoop:
    """Compile the inner loop; `steps` lead from a trial to the next q, in order.

    `start`: the first node of the loop; `verbalize` tries q_0, the first of `steps` replaces q_0.
    """
    after = [*steps, "verbalize"]

    def after_trial(state: InnerState, runtime: Runtime[Settings]) -> str:
        """Go on to the next q, until K + 1 trials are done or the search stops."""
        done = len(state.get("trials", [])) > settings_of(runtime).search.inner_steps
        return END if done or state.get("stop_reason") else after[0]

    builder = StateGraph(InnerState, context_schema=CONTEXT, input_schema=InnerInput, output_schema=InnerOutput)
    builder.add_node("verbalize", stopping(verbalize))
    builder.add_node("critique_judge", stopping(critique_judge))
    builder.add_node("update_judge", stopping(update_judge))
    builder.add_node("judge", stopping(judge_trial))
    for name, step in steps.items():
        builder.add_node(name, stopping(step))

    builder.add_edge(START, start)
    builder.add_edge("verbalize", "critique_judge")
    builder.add_edge("critique_judge", "update_judge")
    builder.add_edge("update_judge", "judge")
    builder.add_conditional_edges("judge", after_trial, [after[0], END])
    for name, following in pairwise(after):
        builder.add_edge(name, following)
    return builder.compile(name="search_i2t")


search_i2t = inner_loop({"critique_i2t": critique_i2t, "update_i2t": update_i2t})
