"""Method of the comparison: a search over judge prompts, driven like any run."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.outer import Builder
from state.settings import Settings

MOST_ROUNDS = 1000
"""Maximum of `search.outer_rounds`."""


def unchanged(settings: Settings) -> Settings:
    """Return the settings unchanged."""
    return settings


@dataclass(frozen=True, slots=True)
class Method:
    """A row of a table. Methods share judge, splits, store, budget, stopping and test, and differ in proposals."""

    name: str
    """Name in configs."""
    title: str
    """Name in tables."""
    builder: Builder
    """Graph for `blpo.runs.start_and_resume.start_run`."""
    adapt: Callable[[Settings], Settings] = unchanged
    """Function that changes the settings for the method; raises `ModelError` for an unsuitable model."""


def with_search(settings: Settings, **changes: object) -> Settings:
    """Return the settings with changes in `search`."""
    return settings.model_copy(update={"search": settings.search.model_copy(update=changes)})


def more_rounds(settings: Settings, factor: int | None = None) -> Settings:
    """Multiply the rounds T by `factor` (default: K + 1) and remove patience, so that the budget ends the search.

    Otherwise a method with cheaper rounds than BLPO would end before the end of its budget. K + 1 rounds of one trial
    have as many trials as a round of BLPO.
    """
    search = settings.search
    times = search.inner_steps + 1 if factor is None else factor
    return with_search(settings, outer_rounds=min(MOST_ROUNDS, search.outer_rounds * times), patience=None)


def improving(settings: Settings) -> Settings:
    """Return the settings with adoption of improvements alone, as published; `search.adopt` is for BLPO."""
    return with_search(settings, adopt="improving")
