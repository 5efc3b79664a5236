"""The outer loop (BLPO, Pan et al. 2026, Algorithm 1): improve the judge prompt p from batches of wrong verdicts.

Round t: judge the train and validation splits by p_t; stop if converged; collect errors I_B; search the I2T prompt q*
with p_t fixed; p_{t+1} = J(q*, p_t), the very prompt that q*'s trial scored, unless a person who is asked decides
otherwise. At the end the test split is judged once.

`graph` is what Studio and Python invoke: its context is `Settings`, its input is empty, its output is result.json.
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.open_run import settings_of
from blpo.inference.rounds import best_trial
from graph.inner import search_i2t
from graph.stopping import stopping
from nodes.approve import approve
from nodes.collect_errors import collect_errors
from nodes.critique_judge import critique_judge
from nodes.evaluate_test import evaluate_test
from nodes.judge import judge
from nodes.update_judge import update_judge
from state.loops import OuterInput, OuterOutput, OuterState
from state.settings import Settings


def after_judge(state: OuterState) -> Literal["collect_errors", "evaluate_test"]:
    """Go on until converged."""
    return "evaluate_test" if state.get("stop_reason") else "collect_errors"


def after_collect_errors(state: OuterState) -> Literal["search_i2t", "evaluate_test"]:
    """Without a wrong verdict there is nothing to learn from."""
    return "evaluate_test" if state.get("stop_reason") else "search_i2t"


def after_search_i2t(
    state: OuterState, runtime: Runtime[Settings]
) -> Literal["critique_judge", "approve", "evaluate_test"]:
    """Adopt J(q*, p_t) where its trial improved on p_t (or always, as published); else the next round keeps p_t."""
    if state.get("stop_reason"):
        return "evaluate_test"
    score = best_trial(state["trials"])["score"]
    always = settings_of(runtime).search.adopt == "always"
    return "critique_judge" if score is not None and (score > 0 or always) else "approve"


def after_approve(state: OuterState) -> Literal["approve", "judge"]:
    """One question after the other; then the next round."""
    return "approve" if state.get("answered") and not state.get("stop_reason") else "judge"


builder = StateGraph(OuterState, context_schema=CONTEXT, input_schema=OuterInput, output_schema=OuterOutput)
builder.add_node("judge", stopping(judge))
builder.add_node("collect_errors", stopping(collect_errors))
builder.add_node("search_i2t", search_i2t)
builder.add_node("critique_judge", stopping(critique_judge))
builder.add_node("update_judge", stopping(update_judge))
builder.add_node("approve", stopping(approve))
builder.add_node("evaluate_test", evaluate_test)

builder.add_edge(START, "judge")
builder.add_conditional_edges("judge", after_judge)
builder.add_conditional_edges("collect_errors", after_collect_errors)
builder.add_conditional_edges("search_i2t", after_search_i2t)
builder.add_edge("critique_judge", "update_judge")
builder.add_edge("update_judge", "approve")
builder.add_conditional_edges("approve", after_approve)
builder.add_edge("evaluate_test", END)

graph = builder.compile(name="blpo")
