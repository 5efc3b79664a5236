"""adopt: the last step of a method's round. Adopt the best of the trials as the next judge prompt.

No person is asked: experiments run by themselves.
"""

from langgraph.runtime import Runtime

from blpo.inference.open_run import settings_of
from blpo.inference.rounds import best_trial
from graph.outer import Builder, Step, outer_loop
from state.loops import OuterState
from state.settings import Settings


def adopting_loop(state: type[OuterState] = OuterState, **steps: Step) -> Builder:
    """Wire the outer loop whose rounds run `steps` in this order, and then `adopt`.

    `steps` leave their proposals in `trials`; `state` extends `OuterState` by their memory.
    """
    return outer_loop({**steps, "adopt": adopt}, state=state)


async def adopt(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Set the candidate to the best trial's prompt if it lowered the loss (or always, as `search.adopt` says)."""
    if not state["trials"]:
        return {"candidate": None}
    best = best_trial(state["trials"])
    improves = best["score"] is not None and best["score"] > 0
    always = settings_of(runtime).search.adopt == "always"
    return {"candidate": best["judge_prompt"] if improves or always else None}
