"""When the search stops, and why.

T rounds are done; no wrong verdict is left; the validation metric has not risen above its best for `patience` rounds;
or the budget is spent. The first reason found is recorded in the state, where the conditional edges read it.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, cast

from langgraph.runtime import Runtime

from blpo.inference.open_run import settings_of
from blpo.metrics.agreement import value
from state.errors import BudgetSpent
from state.loops import OuterState, RoundRecord, UpdateState
from state.result import StopReason
from state.settings import SearchSettings, Settings

S = TypeVar("S", bound=UpdateState)


class Node(Protocol[S]):
    """A node of either loop."""

    async def __call__(self, state: S, runtime: Runtime[Settings]) -> S:
        """Return what changed."""
        ...


def stopping(node: Node[S]) -> Node[S]:
    """Run `node`, and add to its update the reason to stop where its outcome gives one.

    A spent budget ends the search, not the run: what follows up to the next conditional edge passes through.
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
    """The reason to stop in this state, or None to go on."""
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
    """Rounds since the validation metric last rose above its best so far."""
    values = [value(record["validation"], search.metric) for record in rounds]
    return len(values) - 1 - values.index(max(values)) if values else 0
