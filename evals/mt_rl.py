"""Preset `mt-rl`: the six yes/no tasks of MT-RL-Judge (Wu et al. 2026) as one dataset, from prepared folders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.config.settings_file import load_settings
from evals.published import MJ_BENCH_SETS
from state.errors import ConfigError
from state.settings import Settings

DATASET = "mt-rl"
"""Name of the dataset with all tasks."""


@dataclass(frozen=True, slots=True)
class PreparedSet:
    """Dataset folder that `blpo data prepare` makes."""

    folder: str
    options: str
    """Name of the set, and the options of the command beside source and folder."""
    about: str = ""
    """What the task decides."""

    def command(self, folder: Path) -> str:
        """Return the command that makes the folder."""
        name, _, options = self.options.partition(" ")
        return f"blpo data prepare {name} --source DOWNLOADS/{name} --out {folder} {options}"


_TASKS = {
    "AGIN-Nat": PreparedSet(
        "agin-nat-yes-no",
        "agin --criterion naturalness --sample mt-rl-judge",
        "whether a generated image looks natural as a whole",
    ),
    "AGIN-Tech": PreparedSet(
        "agin-tech-yes-no",
        "agin --criterion technical --sample mt-rl-judge",
        "whether a generated image looks technically sound",
    ),
    "AGIN-Rat": PreparedSet(
        "agin-rat-yes-no",
        "agin --criterion rationality --sample mt-rl-judge",
        "whether what a generated image shows makes sense",
    ),
    "SeeTRUE": PreparedSet("seetrue-yes-no", "seetrue --sample mt-rl-judge", "whether the image matches its text"),
    "ImageReward": PreparedSet(
        "imagereward-yes-no", "imagereward --sample mt-rl-judge", "whether people find the image good for its text"
    ),
    "UnsafeBench": PreparedSet("unsafebench-yes-no", "unsafebench --sample mt-rl-judge", "whether the image is safe"),
}
_TRANSFER: Mapping[str, PreparedSet] = {
    name: PreparedSet(f"mjbench-{name}", f"mjbench --subset {name} --sample all") for name in MJ_BENCH_SETS
}


def mt_rl_dataset(folder: Path, tasks: Sequence[str], limit: int | None) -> dict[str, Any]:
    """Return the dataset of these tasks as plain settings.

    Raises `ConfigError` with a line for each missing folder, with the command that makes the folder, and for a folder
    without yes/no labels.
    """
    _require((_TASKS[name] for name in tasks), folder)
    return {"name": DATASET, "tasks": [_task(name, folder / _TASKS[name].folder, limit) for name in tasks]}


def transfer_configs(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return the config of each set of pairs. Raises `ConfigError` as `mt_rl_dataset`."""
    _require((_TRANSFER[name] for name in names), folder)
    return {name: folder / _TRANSFER[name].folder / "config.yaml" for name in names}


def _require(sets: Iterable[PreparedSet], folder: Path) -> None:
    lines = [
        f"{folder / each.folder}/config.yaml: is missing; make the folder with: {each.command(folder / each.folder)}"
        for each in sets
        if not (folder / each.folder / "config.yaml").is_file()
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def _task(name: str, folder: Path, limit: int | None) -> dict[str, Any]:
    own = load_settings(folder / "config.yaml")
    if own.task_names or len(own.task.values) != 2 or own.task.kind != "categorical":
        command = _TASKS[name].command(folder)
        raise ConfigError(f"{folder}/config.yaml: has no yes/no labels; make the folder with: {command}")
    return task_entry(name, _TASKS[name].about, own, limit)


def task_entry(name: str, about: str, own: Settings, limit: int | None) -> dict[str, Any]:
    """Return a run's configuration as one of several tasks with macro F1, as plain settings."""
    data = own.data if limit is None else own.data.model_copy(update={"limit": limit})
    judge = {} if own.prompts.judge is None else {"judge": own.prompts.judge}
    task = own.task.model_dump(mode="json", exclude_unset=True)
    fields = {"task": task, "data": data.model_dump(mode="json"), "metric": "macro_f1", **judge}
    return {"name": name, "about": about, **fields}


def has_folders(folder: Path) -> bool:
    """Return True if a dataset folder of the preset is there."""
    return any((folder / each.folder).exists() for each in (*_TASKS.values(), *_TRANSFER.values()))
