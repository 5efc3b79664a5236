"""Splits of an experiment: redrawn by every seed, or the same for all seeds."""

from typing import Literal

from blpo.data.dataset import SPLITS
from blpo.data.run_dataset import dataset_of
from evals.experiment_settings import EvalSettings
from state.errors import DataError
from state.settings import Settings, SplitColumn, SplitShares

Spread = Literal["splits and search", "splits", "search", ""]
"""Sources of the spread over seeds. Empty: nothing differs between seeds."""


def with_splits(settings: Settings, evals: EvalSettings) -> Settings:
    """Return the settings of a run with the splits of the experiment.

    To redraw a split column, its sizes become shares. A dataset that can't be read is left as it is, because its cells
    fail with the reason.
    """
    split = settings.data.split
    if evals.splits == "fixed" and split.seed is None:
        split = split.model_copy(update={"seed": evals.seeds[0]})
    elif evals.splits == "redraw" and isinstance(split, SplitColumn):
        try:
            sizes = {name: len(dataset_of(settings).splits[name]) for name in SPLITS}
        except DataError:
            return settings
        split = SplitShares.model_validate(sizes)
    elif evals.splits == "redraw":
        split = split.model_copy(update={"seed": None})
    return settings.model_copy(update={"data": settings.data.model_copy(update={"split": split})})


def spread_of(settings: Settings) -> Spread:
    """Return the sources of the spread over seeds of a cell's test result."""
    split = settings.data.split
    redraws = isinstance(split, SplitShares) and split.seed is None
    searches = settings.search.outer_rounds > 0
    if redraws:
        return "splits and search" if searches else "splits"
    return "search" if searches else ""
