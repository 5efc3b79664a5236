"""Cells of an experiment: a cell is a run of a method on a dataset with a judge and a seed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from blpo.config.config_hash import config_hash
from blpo.config.settings_file import load_settings
from blpo.config.tracker_requirements import require_tracker
from blpo.data.dataset import most_images_of
from blpo.models.role_checks import limits_images, require_images, require_prices, require_vision
from blpo.runs.run_info import read_info
from evals.config import dataset_settings
from evals.experiment_settings import EvalDataset, EvalJudge, EvalSettings
from evals.methods import METHODS
from evals.split_sizes import split_sizes
from evals.splits import spread_of, with_splits
from state.errors import ConfigError
from state.settings import LimitSettings, RunSettings, Settings

CALLS = "calls"
"""Name of the budget in calls among the varied settings."""
CELLS = "cells"
"""Folder with the run directories of the cells."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of the experiment."""

    method: str
    dataset: str
    judge: str
    seed: int
    varied: str
    """The varied settings, as `inner_steps=3`; empty for a cell with the settings of the experiment."""
    settings: Settings
    """Settings of the run: adapted by the method, with run directory, seed and budget."""
    task: str = ""
    """Task that the run learns, for a method with a run for each task; empty for a run of all tasks."""

    @property
    def name(self) -> str:
        """Name of the run directory."""
        return self.path.name

    @property
    def path(self) -> Path:
        """The run directory."""
        return Path(str(self.settings.run.dir))

    @property
    def is_embedded(self) -> bool:
        """True if all models are embedded: the cell needs a processor, not a server."""
        models = self.settings.models
        return all(models.of(role).name.startswith("embedded:") for role in models.roles)


def cells_of(evals: EvalSettings, out: Path) -> list[Cell]:
    """Return all cells in the order of the runs, seed by seed: an unfinished table is balanced.

    Raises `ConfigError` for contradicting settings, for a missing price of a budget in dollars, for an unusable
    tracker, for a trained judge beside splits that are redrawn, and for a cell under `out` with different settings.
    """
    bases = {
        (dataset, judge): with_splits(_base(dataset, judge), evals)
        for dataset in evals.datasets
        for judge in evals.judges
    }
    cells = [
        _cell(evals, dataset, judge, method, seed, change, bases[dataset, judge], out, task)
        for seed in evals.seeds
        for dataset in evals.datasets
        for judge in evals.judges
        for change in changes(evals)
        for method in evals.methods
        for task in METHODS[method].tasks_of(bases[dataset, judge])
    ]
    cells = _without_repetitions(cells)
    _require_unseen_tests(evals, cells)
    for cell in cells:
        require_prices(cell.settings.models, cell.settings.limits)
        require_vision(cell.settings.models)
        require_tracker(cell.settings)
        require_images(cell.settings, most_images_of(cell.settings) if limits_images(cell.settings) else 0)
        _require_same_settings(cell, out)
    return cells


def changes(evals: EvalSettings) -> Iterator[dict[str, int]]:
    """Yield the changes of the cells: all combinations of a grid; else no change, and one change of a sweep at a time.

    `calls` stands for `budget.calls`, other names for search settings.
    """
    axes = {name: values for name, values in evals.grid if values}
    if axes:
        yield from (dict(zip(axes, values, strict=True)) for values in product(*axes.values()))
        return
    yield {}
    for setting, values in evals.sweeps:
        yield from ({setting: value} for value in values)


def _without_repetitions(cells: list[Cell]) -> list[Cell]:
    """Leave out a varied cell with the same settings as the cell without a change: its value is the method's own."""
    distinct: list[Cell] = []
    plain: dict[tuple[str, str, str, int, str], Settings] = {}
    for cell in cells:
        key = (cell.method, cell.dataset, cell.judge, cell.seed, cell.task)
        settings = cell.settings.model_copy(update={"run": RunSettings()})
        if not cell.varied:
            plain[key] = settings
        if not cell.varied or plain.get(key) != settings:
            distinct.append(cell)
    return distinct


def varied(change: Mapping[str, int]) -> str:
    """Return `Cell.varied` for a change."""
    return ",".join(f"{setting}={value}" for setting, value in change.items())


def _cell(
    evals: EvalSettings,
    dataset: EvalDataset,
    judge: EvalJudge,
    method: str,
    seed: int,
    change: Mapping[str, int],
    base: Settings,
    out: Path,
    task: str,
) -> Cell:
    search_change = {name: value for name, value in change.items() if name != CALLS}
    search = evals.search.model_copy(update={"seed": seed, **search_change})
    place = f"{base.task_names.index(task) + 1}-{re.sub('[ _]', '-', task)}" if task else ""
    path = out.absolute() / CELLS / _name(method, dataset.name, judge.name, place, seed, varied(change))
    places = {"dir": str(path), "checkpoints": str(path / "checkpoints.sqlite")}
    run = base.run.model_copy(update={**places, "tracking": evals.tracking})
    only = {"only": (task,)} if task else {}
    settings = base.model_copy(update={"search": search, "run": run, **only})
    limits = _limits(evals, change.get(CALLS), settings, len(base.task_names) if task else 1)
    settings = settings.model_copy(update={"limits": limits})
    adapted = METHODS[method].adapt(settings, {**evals.method_search.get(method, {}), **search_change})
    return Cell(method, dataset.name, judge.name, seed, varied(change), load_settings(adapted), task)


def _limits(evals: EvalSettings, calls: int | None, settings: Settings, runs: int) -> LimitSettings:
    """Return the limits of a cell: `calls` if a grid varies the calls, and the test on top as the experiment says.

    `runs` runs share one budget.
    """
    budget = evals.budget
    calls = budget.calls if calls is None else calls
    sizes = split_sizes(settings) if evals.test == "on_top" else None
    on_top = 0 if sizes is None else 2 * sizes.test_requests
    shared = {
        CALLS: None if calls is None else calls // runs + on_top,
        "tokens": None if budget.tokens is None else budget.tokens // runs,
        "usd": None if budget.usd is None else budget.usd / runs,
    }
    return budget.model_copy(update=shared)


_SECTIONS = {"task", "data", "prompts", "tasks", "criteria", "criteria_calls", "criteria_aggregate"}
"""Sections of a run that belong to a dataset."""


def _base(dataset: EvalDataset, judge: EvalJudge) -> Settings:
    own = dataset_settings(dataset)
    try:
        sections = {name: getattr(own, name) for name in own.model_fields_set & _SECTIONS}
        return load_settings({**sections, "models": judge.models})
    except ConfigError as error:
        raise ConfigError(
            "\n".join(f"{dataset.name} with {judge.name}: {line}" for line in str(error).splitlines())
        ) from None


def _name(method: str, dataset: str, judge: str, task: str, seed: int, varied: str) -> str:
    parts = (method.replace("_", "-"), dataset, judge, task, varied.replace("_", "-"), f"seed{seed}")
    return "_".join(filter(None, parts))


def _require_unseen_tests(evals: EvalSettings, cells: Sequence[Cell]) -> None:
    """Raise `ConfigError` if seeds draw their own splits beside a trained judge: it saw samples of their tests."""
    if not evals.mt_rl.trained or len(evals.seeds) == 1:
        return
    if redrawn := next((cell.dataset for cell in cells if "splits" in spread_of(cell.settings)), None):
        raise ConfigError(
            f"mt_rl.trained: every seed draws its own splits of {redrawn}, so a trained judge saw test samples of other"
            " seeds; set splits: fixed, with the first of seeds as the search.seed of the export"
        )


def _require_same_settings(cell: Cell, out: Path) -> None:
    if not (cell.path / "run.json").exists():
        return
    former = load_settings(cell.path / "config.yaml")
    if read_info(cell.path).config_hash != config_hash(cell.settings) or former.limits != cell.settings.limits:
        raise ConfigError(
            f"{out} holds {cell.name} with other settings or another budget; undo the change, or give another --out"
        )
