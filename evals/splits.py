"""Splits of an experiment: redrawn by every seed, or the same for all seeds."""

from typing import Literal

from blpo.data.dataset import SPLITS
from blpo.data.run_dataset import dataset_of
from evals.experiment_settings import EvalSettings
from state.errors import DataError
from state.settings import DataSettings, Settings, SplitColumn, SplitShares

Spread = Literal["splits and search", "splits", "search", ""]
"""Sources of the spread over seeds. Empty: nothing differs between seeds."""


def with_splits(settings: Settings, evals: EvalSettings) -> Settings:
    """Return the settings of a run, with one task or several, with the splits of the experiment.

    To redraw a split column, its sizes become shares. A dataset that can't be read is left as it is, because its cells
    fail with the reason.
    """
    try:
        if not settings.tasks:
            return settings.model_copy(update={"data": _with_split(settings.data, settings, evals)})
        tasks = [
            entry.model_copy(update={"data": _with_split(entry.data, settings.of_task(entry.name), evals)})
            for entry in settings.tasks
        ]
    except DataError:
        return settings
    return settings.model_copy(update={"tasks": tuple(tasks)})


def _with_split(data: DataSettings, settings: Settings, evals: EvalSettings) -> DataSettings:
    """Return `data` with the splits of the experiment; `settings` are those of its task, or of all criteria."""
    split = data.split
    if evals.splits == "fixed" and split.seed is None:
        split = split.model_copy(update={"seed": evals.seeds[0]})
    elif evals.splits == "redraw" and isinstance(split, SplitColumn):
        splits = dataset_of(settings).splits
        split = SplitShares.model_validate({name: len({s.item for s in splits[name]}) for name in SPLITS})
    elif evals.splits == "redraw":
        split = split.model_copy(update={"seed": None})
    return data.model_copy(update={"split": split})


def spread_of(settings: Settings) -> Spread:
    """Return the sources of the spread over seeds of a cell's test result."""
    splits = [entry.data.split for entry in settings.entries] or [settings.data.split]
    redraws = any(isinstance(split, SplitShares) and split.seed is None for split in splits)
    searches = settings.search.outer_rounds > 0
    if redraws:
        return "splits and search" if searches else "splits"
    return "search" if searches else ""
