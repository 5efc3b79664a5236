"""Stopping rules of the search.

T rounds are done; no wrong verdict is left; no round of the last `patience` rounds has gained; or the budget pays for
no further round. The state records the first reason, and the conditional edges read the reason.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, cast

from langgraph.runtime import Runtime

from blpo.inference.open_run import settings_of
from blpo.inference.rounds import best_round
from blpo.metrics.gain import Gain
from state.errors import BudgetSpent
from state.loops import OuterState, RoundRecord, UpdateState
from state.result import StopReason
from state.settings import SearchSettings, Settings

S = TypeVar("S", bound=UpdateState)


class Node(Protocol[S]):
    """A node of either loop."""

    async def __call__(self, state: S, runtime: Runtime[Settings]) -> S:
        """Return the update of the state."""
        ...


def stopping(node: Node[S]) -> Node[S]:
    """Run `node`, and add the reason to stop to the node's update, if the search must stop.

    A spent budget ends the search, not the run: later nodes do nothing up to the next conditional edge.
    """

    async def run(state: S, runtime: Runtime[Settings]) -> S:
        if state.get("stop_reason"):
            return cast(S, {})
        try:
            update = await node(state, runtime)
        except BudgetSpent:
            return cast(S, {"stop_reason": "budget"})
        after: Any = {**state, **update}
        reason = reason_to_stop(after, settings_of(runtime).search)
        return cast(S, {**update, "stop_reason": reason}) if reason else update

    run.__doc__ = node.__doc__
    return run


def reason_to_stop(state: OuterState, search: SearchSettings) -> StopReason | None:
    """Return the reason to stop in `state`, or None to go on."""
    rounds = state.get("rounds", [])
    if state.get("stop_reason"):
        return state["stop_reason"]
    if len(rounds) > search.outer_rounds:
        return "rounds"
    if search.patience is not None and rounds_without_gain(rounds, search) >= search.patience:
        return "patience"
    if state.get("errors") == []:
        return "no_errors"
    return None


def rounds_without_gain(rounds: Sequence[RoundRecord], search: SearchSettings) -> int:
    """Return the number of rounds since the last round with a gain.

    Where train and validation select, a gain over the best prompt before counts if the gain is above its standard
    error: a smaller gain is as likely noise. Where validation alone selects, any new best value counts, as published.
    """
    if search.select_on == "labelled" and all("gain" in record for record in rounds[1:]):
        gains = [record["gain"] for record in rounds if "gain" in record]
        clear = [t for t, gain in enumerate(gains, 1) if Gain(**gain).is_clear]
        return len(rounds) - 1 - max(clear, default=0) if rounds else 0
    return len(rounds) - 1 - best_round(rounds, search) if rounds else 0
