"""Method of the comparison: a search over judge prompts, driven like any run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from graph.outer import Builder
from state.errors import ConfigError, ModelError
from state.settings import PRESETS, SERVED_OPTIMIZER, Settings

MOST_ROUNDS = 1000
"""Maximum of `search.outer_rounds`."""
_BUDGET_ROUNDS = 20
"""Rounds of a single trial, as a multiple of T, if a budget ends the search."""

SearchChanges = Mapping[str, Any]
"""Search settings with their values, by name."""
_NO_CHANGES: SearchChanges = MappingProxyType({})


def unchanged(settings: Settings) -> SearchChanges:
    """Return no changes."""
    return _NO_CHANGES


SCORED: SearchChanges = MappingProxyType(
    {"trials": "scored", "batch": "split", "select_on": "validation", "score_on": "batch"}
)
"""A proposal is a trial with a score on a batch of errors and anchors, and validation selects, as published."""
IMPROVING: SearchChanges = MappingProxyType({**SCORED, "select": "best", "adopt": "improving", "patience": None})
"""Scored trials, selection among all rounds, adoption of improvements alone, and no patience."""


def any_models(settings: Settings) -> None:
    """Accept all models."""


def rule_in_words(settings: Settings) -> str:
    """Return the selection, adoption, patience and batch of a search, for a row of the table."""
    search = settings.search
    samples = {"labelled": "train + validation", "validation": "validation"}[search.select_on]
    selected = f"select best by {samples}" if search.select == "best" else "select last"
    patience = "no patience" if search.patience is None else f"patience {search.patience}"
    if search.trials == "pooled":
        later = search.steps_of_round(1)
        steps = f"K {search.inner_steps}" if later == search.inner_steps else f"K {search.inner_steps}, later {later}"
        return f"{selected}, pooled trials, {patience}, batch {search.batch_size}, {steps}"
    return f"{selected}, adopt {search.adopt}, {patience}, batch {search.error_batch} + {search.anchors}"


@dataclass(frozen=True, slots=True)
class Method:
    """A row of a table. Methods share judge, splits, store, budget, stopping and test, and differ in proposals."""

    name: str
    """Name in configs."""
    title: str
    """Name in tables."""
    builder: Builder
    """Graph for `blpo.runs.start_and_resume.start_run`."""
    own: Callable[[Settings], SearchChanges] = unchanged
    """Search settings by which the method is at its best, in place of the experiment's settings."""
    defining: Callable[[Settings], SearchChanges] = unchanged
    """Search settings without which the method would be another method."""
    require: Callable[[Settings], None] = any_models
    """Function that raises `ModelError` for an unsuitable model, and `ConfigError` for an unsuitable task."""
    judging: Callable[[Settings], Settings] | None = None
    """Function that changes how pairs or lists are judged; the method is then for these, and no default of presets."""
    learns_several_tasks: bool = False
    """True for a search that proposes prompts for several tasks."""
    runs_each_task: bool = False
    """True for a method with a run of its own for each task."""
    package: str | None = None
    """Package that the method needs, from the extra of the same name; None: the method needs none."""
    rule: Callable[[Settings], str] = rule_in_words
    """Function that words the settings of a cell."""

    @property
    def is_installed(self) -> bool:
        """True if the package of the method is there."""
        return self.package is None or find_spec(self.package) is not None

    @property
    def is_default(self) -> bool:
        """True for an installed method for any single task."""
        return self.is_installed and self.judging is None and not self.runs_each_task

    @property
    def missing(self) -> str:
        """The missing package, and the command to install the package."""
        return f"needs the extra {self.package!r}; install it with: pip install -e '.[{self.package}]'"

    def tasks_of(self, settings: Settings) -> tuple[str, ...]:
        """Return the task of every run of the method, "" for a run of all tasks.

        Raises `ConfigError` for several tasks if the method learns one task alone, and the other way round.
        """
        if settings.task_names and not self.learns_several_tasks:
            raise ConfigError(f"method {self.name}: learns a single task; take it out of methods for several tasks")
        if not self.runs_each_task:
            return ("",)
        if len(settings.task_names) < 2:
            raise ConfigError(f"method {self.name}: needs a dataset with several tasks or criteria")
        return settings.task_names

    def adapt(self, settings: Settings, changes: SearchChanges = _NO_CHANGES) -> Settings:
        """Return the settings of a run of the method; `changes` replace the method's own settings.

        Raises `ModelError` for an unsuitable model or a missing package.
        """
        if not self.is_installed:
            raise ModelError(f"method {self.name}: {self.missing}")
        self.require(settings)
        settings = self.judging(settings) if self.judging else settings
        own = with_search(settings, {**self.own(settings), **changes})
        return with_search(own, self.defining(own))


def pooled(settings: Settings) -> SearchChanges:
    """Return pooled trials with the default settings of BLPO for the optimizer, under any preset."""
    default = Settings.model_validate({"models": settings.models, "search": {"preset": "default"}}).search
    return {name: getattr(default, name) for name in (*PRESETS["default"], *SERVED_OPTIMIZER)}


def with_search(settings: Settings, changes: SearchChanges) -> Settings:
    """Return the settings with changes in `search`."""
    return settings.model_copy(update={"search": settings.search.model_copy(update=dict(changes))})


def rounds_for_the_budget(settings: Settings, trials: float = 1) -> SearchChanges:
    """Return more rounds than T, for a method whose round tries `trials` prompts, so that the budget ends the search.

    Otherwise a method with cheaper rounds than BLPO would end before the end of its budget. Without a budget a method
    tries about as many prompts as the published BLPO, which tries six prompts a round.
    """
    limits = settings.limits
    is_limited = (limits.calls, limits.tokens, limits.usd) != (None, None, None)
    factor = max(1, int((_BUDGET_ROUNDS if is_limited else 6) / trials))
    return {"outer_rounds": min(MOST_ROUNDS, settings.search.outer_rounds * factor)}
