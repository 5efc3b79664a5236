"""What a method of the comparison is: a search over judge prompts, driven like any run."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.outer import Builder
from state.settings import Settings

MOST_ROUNDS = 1000
"""What `search.outer_rounds` may be at most."""


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
    """What `blpo.runs.start_and_resume.start_run` drives."""
    adapt: Callable[[Settings], Settings] = unchanged
    """What the method changes in the settings; raises `ModelError` where a model lacks what the method needs."""


def with_search(settings: Settings, **changes: object) -> Settings:
    """The same settings but for these of `search`."""
    return settings.model_copy(update={"search": settings.search.model_copy(update=changes)})


def more_rounds(settings: Settings, factor: int | None = None) -> Settings:
    """`factor` times T rounds, by default K + 1 times, and no patience: the budget is to end the search.

    Without it a method whose rounds cost less than BLPO's would end with calls to spare. K + 1 rounds of one trial are
    as many trials as a round of BLPO.
    """
    search = settings.search
    times = search.inner_steps + 1 if factor is None else factor
    return with_search(settings, outer_rounds=min(MOST_ROUNDS, search.outer_rounds * times), patience=None)


def improving(settings: Settings) -> Settings:
    """The same settings, but a prompt is adopted only where it improves: `search.adopt` is BLPO's to choose."""
    return with_search(settings, adopt="improving")
