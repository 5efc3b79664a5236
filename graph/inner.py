"""The inner loop: with p_t fixed, find descriptions of the batch that serve the update of p.

Scored trials (`search.trials: scored`, Algorithm 1 as published) learn the q whose update helps most. A trial of q:
verbalize the batch by q, let J(q, p_t) = critique_judge, update_judge write a trial prompt p', judge the batch by p'
and score q. The first trial is of q_0. Then K times: critique_i2t the best and the last q, update_i2t, try again. The
result is q* = argmax of the score over all K + 1 trials.

    verbalize -> critique_judge -> update_judge -> judge -> critique_i2t -> update_i2t -> verbalize ...

Pooled trials (the default) choose no q, because the scores of so few cases hardly tell which q is better. A trial of q
ends after verbalize. Each of the K q's asks for what the descriptions do not state yet; the first q of the run is q_0.
The result is H: the outer loop updates p once, from the descriptions by all q's.

    verbalize -> critique_i2t -> update_i2t -> verbalize ...
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

    def first_step(state: InnerState, runtime: Runtime[Settings]) -> str:
        """Try q first; pooled trials try a q that is new, and go on from a q of an earlier round to the next q."""
        is_pooled = settings_of(runtime).search.trials == "pooled"
        is_used = is_pooled and state["inner_steps"] > 0 and not state["i2t_is_new"]
        return after[0] if is_used else start

    def after_descriptions(state: InnerState, runtime: Runtime[Settings]) -> str:
        """Scored trials go on to the update of p. Pooled trials go on to the next q, until K q's are done."""
        if settings_of(runtime).search.trials == "scored":
            return "critique_judge"
        done = len(state.get("trials", [])) >= state["inner_steps"]
        return END if done or state.get("stop_reason") else after[0]

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

    builder.add_conditional_edges(START, first_step, list(dict.fromkeys([start, after[0]])))
    builder.add_conditional_edges("verbalize", after_descriptions, ["critique_judge", after[0], END])
    builder.add_edge("critique_judge", "update_judge")
    builder.add_edge("update_judge", "judge")
    builder.add_conditional_edges("judge", after_trial, [after[0], END])
    for name, following in pairwise(after):
        builder.add_edge(name, following)
    return builder.compile(name="search_i2t")


search_i2t = inner_loop({"critique_i2t": critique_i2t, "update_i2t": update_i2t})
