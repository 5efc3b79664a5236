"""Last step of a method's round: adopt the judge prompt of the best trial.

Experiments run without approval by a person.
"""

from langgraph.runtime import Runtime

from blpo.inference.open_run import settings_of
from blpo.inference.rounds import best_trial, is_adopted
from graph.outer import Builder, Step, outer_loop
from state.loops import OuterState
from state.settings import Settings


def adopting_loop(state: type[OuterState] = OuterState, **steps: Step) -> Builder:
    """Wire the outer loop with rounds of `steps`, in this order, and then `adopt`.

    `steps` leave proposals in `trials`. `state` extends `OuterState` by the memory of the steps.
    """
    return outer_loop({**steps, "adopt": adopt}, state=state)


async def adopt(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Set the candidate to the best trial's prompt if the loss fell, or always for `search.adopt: always`."""
    if not state["trials"]:
        return {"candidate": None}
    best = best_trial(state["trials"])
    is_good = is_adopted(best, settings_of(runtime).search.adopt)
    return {"candidate": best["judge_prompt"] if is_good else None}
