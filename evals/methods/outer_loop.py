"""The outer loop that all methods share: BLPO's, around other steps than its inner loop.

Round t: judge the train and validation splits by p_t; stop if converged; collect errors; the method's own steps, which
leave their proposals in `trials`; adopt the best of them. At the end the test split is judged once. No person is asked:
experiments run by themselves.
"""

from itertools import pairwise
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.open_run import settings_of
from blpo.inference.rounds import best_trial
from evals.methods.method import Builder
from graph.stopping import Node, stopping
from nodes.collect_errors import collect_errors
from nodes.evaluate_test import evaluate_test
from nodes.judge import judge
from state.loops import OuterInput, OuterOutput, OuterState
from state.settings import Settings

Step = Node[Any] | CompiledStateGraph[Any, Any, Any, Any]
"""A node, or a loop of its own."""


def outer_loop(state: type[OuterState] = OuterState, **steps: Step) -> Builder:
    """The outer loop around `steps`, run in this order in each round; `state` extends `OuterState` by their memory."""
    builder = StateGraph(state, context_schema=CONTEXT, input_schema=OuterInput, output_schema=OuterOutput)
    builder.add_node("judge", stopping(judge))
    builder.add_node("collect_errors", stopping(collect_errors))
    for name, step in steps.items():
        builder.add_node(name, step if isinstance(step, CompiledStateGraph) else stopping(step))
    builder.add_node("adopt", stopping(adopt))
    builder.add_node("evaluate_test", evaluate_test)

    own = [*steps, "adopt"]
    builder.add_edge(START, "judge")
    builder.add_conditional_edges("judge", _converged, {False: "collect_errors", True: "evaluate_test"})
    builder.add_conditional_edges("collect_errors", _converged, {False: own[0], True: "evaluate_test"})
    for step_name, following in pairwise(own):
        builder.add_edge(step_name, following)
    builder.add_conditional_edges("adopt", _converged, {False: "judge", True: "evaluate_test"})
    builder.add_edge("evaluate_test", END)
    return builder


async def adopt(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Set the candidate to the best trial's prompt where it lowered the loss (or always, as `search.adopt` says)."""
    if not state["trials"]:
        return {"candidate": None}
    best = best_trial(state["trials"])
    improves = best["score"] is not None and best["score"] > 0
    always = settings_of(runtime).search.adopt == "always"
    return {"candidate": best["judge_prompt"] if improves or always else None}


def _converged(state: OuterState) -> bool:
    return bool(state.get("stop_reason"))
