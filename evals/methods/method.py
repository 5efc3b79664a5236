"""What a method of the comparison is: a search over judge prompts, driven like any run."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.graph import StateGraph

from state.settings import Settings

Builder = StateGraph[Any, Any, Any, Any]
"""A graph not yet compiled: its context is `Settings`, its input `OuterInput`, its output `OuterOutput`, its state
`OuterState` or a `TypedDict` that extends it."""


def unchanged(settings: Settings) -> Settings:
    """The settings as they are."""
    return settings


@dataclass(frozen=True, slots=True)
class Method:
    """One row of a table. All share judge, splits, store, budget, stopping and test, and differ in how they propose."""

    name: str
    """As in configs."""
    title: str
    """As in tables."""
    builder: Builder
    """What `driver.runs.optimize(adapt(settings), builder=...)` drives, and `resume` with the same builder."""
    adapt: Callable[[Settings], Settings] = unchanged
    """What the method changes in the settings; raises `ModelError` where a model lacks what the method needs."""


def with_search(settings: Settings, **changes: object) -> Settings:
    """The same settings but for these of `search`."""
    return settings.model_copy(update={"search": settings.search.model_copy(update=changes)})


def as_many_trials(settings: Settings, a_round: int = 1) -> Settings:
    """Rounds and patience for as many trials as BLPO has, T (K + 1), by a method that tries `a_round` prompts a round.

    So it is the budget that ends a search which spends less on a round. Never fewer rounds than T.
    """
    search = settings.search
    factor = max(1.0, (search.inner_steps + 1) / a_round)
    patience = None if search.patience is None else math.ceil(search.patience * factor)
    return with_search(settings, outer_rounds=math.ceil(search.outer_rounds * factor), patience=patience)
