"""The outer loop (BLPO, Pan et al. 2026, Algorithm 1): improve the judge prompt p from batches of wrong verdicts.

Scored trials (`search.trials: scored`, Algorithm 1 as published), round t: judge the train and validation splits by
p_t; stop if converged; collect errors I_B; search the I2T prompt q* with p_t fixed; p_{t+1} = J(q*, p_t), the very
prompt with the score of q*'s trial.

Pooled trials (the default) make one update a round. The batch holds many cases of train and validation, at least half
of them errors. The inner loop describes the batch by K I2T prompts, and scores no I2T prompt. p_{t+1} = J({q_1 .. q_K},
p_t), from all descriptions. Only p_{t+1} is judged, on train and validation, and these verdicts select among rounds.

A person may decide about a new prompt. At the end the test split is judged once.

`graph` is for Studio and Python: the context is `Settings`, the input is empty, the output is result.json.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

from langgraph.graph import END, START
from langgraph.graph.state import CompiledStateGraph, StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.open_run import settings_of
from blpo.inference.rounds import best_trial, is_adopted, pooled_prompts
from graph.inner import search_i2t
from graph.stopping import Node, stopping
from nodes.approve import approve
from nodes.collect_errors import collect_errors
from nodes.critique_judge import critique_judge
from nodes.evaluate_test import evaluate_test
from nodes.judge import judge
from nodes.update_judge import update_judge
from state.loops import OuterInput, OuterOutput, OuterState
from state.settings import Settings

Builder = StateGraph[Any, Any, Any, Any]
"""A graph before it is compiled."""
Step = Node[Any] | CompiledStateGraph[Any, Any, Any, Any]
"""A node, or a loop inside the round."""


def outer_loop(
    steps: Mapping[str, Step],
    routes: Mapping[str, Callable[..., str]] = MappingProxyType({}),
    state: type[OuterState] = OuterState,
) -> Builder:
    """Wire the outer loop; `steps` lead from the batch of errors to the next judge prompt, in order.

    `routes`: conditional edges by step, in place of the edge to the next step. The next round follows the last step.
    `state`: `OuterState` or an extension of `OuterState`.
    """
    builder = StateGraph(state, context_schema=CONTEXT, input_schema=OuterInput, output_schema=OuterOutput)
    builder.add_node("judge", stopping(judge))
    builder.add_node("collect_errors", stopping(collect_errors))
    for name, step in steps.items():
        builder.add_node(name, step if isinstance(step, CompiledStateGraph) else stopping(step))
    builder.add_node("evaluate_test", evaluate_test)

    builder.add_edge(START, "judge")
    _add_edge_unless_stopped(builder, "judge", "collect_errors")
    _add_edge_unless_stopped(builder, "collect_errors", next(iter(steps)))
    for name, following in pairwise([*steps, "judge"]):
        if name in routes:
            builder.add_conditional_edges(name, routes[name])
        elif following == "judge":
            _add_edge_unless_stopped(builder, name, "judge")
        else:
            builder.add_edge(name, following)
    builder.add_edge("evaluate_test", END)
    return builder


def _add_edge_unless_stopped(builder: Builder, name: str, following: str) -> None:
    """Go on from `name` to `following`; after the search has stopped, go to the test split."""

    def route(state: OuterState) -> str:
        return "evaluate_test" if state.get("stop_reason") else following

    builder.add_conditional_edges(name, route, [following, "evaluate_test"])


def after_search_i2t(
    state: OuterState, runtime: Runtime[Settings]
) -> Literal["critique_judge", "approve", "evaluate_test"]:
    """Update p by the trials, if any trial serves an update; else the next round keeps p_t.

    Pooled trials serve if any q has descriptions. The best scored trial serves if its score is above the noise, or
    always, as published (`search.adopt`).
    """
    if state.get("stop_reason"):
        return "evaluate_test"
    search = settings_of(runtime).search
    if search.trials == "pooled":
        return "critique_judge" if pooled_prompts(state["trials"]) else "approve"
    return "critique_judge" if is_adopted(best_trial(state["trials"]), search.adopt) else "approve"


def after_approve(state: OuterState) -> Literal["approve", "judge"]:
    """Ask question after question; then begin the next round."""
    return "approve" if state.get("answered") and not state.get("stop_reason") else "judge"


builder = outer_loop(
    {
        "search_i2t": search_i2t,
        "critique_judge": critique_judge,
        "update_judge": update_judge,
        "approve": approve,
    },
    routes={"search_i2t": after_search_i2t, "approve": after_approve},
)

graph = builder.compile(name="blpo")
