"""Settings of an experiment from a YAML file, presets and `key=value` overrides.

Paths in the file are relative to the file. A dataset may refer to the configuration of a run.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from blpo.config.overrides import apply_override
from blpo.config.setting_paths import absolute_paths
from blpo.config.setting_problems import setting_problems
from blpo.config.settings_file import load_settings
from blpo.config.task_files import with_task_files
from blpo.config.yaml_text import read_yaml
from evals.experiment_settings import EvalDataset, EvalSettings, MtRlSettings
from evals.mt_rl import DATASET, has_folders, mt_rl_dataset, transfer_configs
from evals.mt_rl_offline import offline_dataset
from evals.published import MT_RL_TASKS
from state.errors import ConfigError
from state.settings import Settings

_EXAMPLES = Path(__file__).parent.parent / "examples"
OFFLINE_CALLS = 800
"""Default budget in calls for a cell with embedded models."""
_DEFAULTS = EvalSettings.model_construct()
_SAMPLE_TASKS = [{"name": "rating"}, {"name": "exact rating", "metric": "macro_f1"}]
"""Two tasks of the built-in sample: the same ratings, by how near and by how often a verdict is right."""


def load_eval_settings(
    config: str | Path | None = None,
    *,
    preset: str | None = None,
    offline: bool | None = None,
    overrides: Sequence[str] = (),
) -> EvalSettings:
    """Return the settings of an experiment from the file, then `preset`, then overrides; a later source wins.

    `offline` adds defaults for datasets, judges and budget: the built-in sample, the ratings of appeal (for `unified`,
    of three criteria) if their folder lies beside the checkout, embedded models, and 800 calls a cell (for `unified`,
    2,400). None: only for the preset `budget`. Raises
    `ConfigError` with one line for each problem.
    """
    file = Path(config) if config is not None else None
    content = _from_file(file) if file else {}
    if preset is not None:
        content["preset"] = preset
    if offline or (offline is None and content.get("preset") == "budget"):
        content = {**_offline(content.get("preset")), **content}
    for override in overrides:
        apply_override(content, override, _DEFAULTS)
    _fill_mt_rl(content, file, offline=bool(offline))
    if missing := [name for name in ("datasets", "judges") if not content.get(name)]:
        where = f"{file}: " if file else ""
        raise ConfigError(f"{where}{' and '.join(missing)} must be given; or use --offline for embedded models")
    try:
        return EvalSettings.model_validate(content)
    except ValidationError as error:
        lines = setting_problems(error, EvalSettings)
    where = f"{file}: " if file else ""
    raise ConfigError("\n".join(f"{where}{line}" for line in lines))


def _fill_mt_rl(content: dict[str, Any], file: Path | None, *, offline: bool) -> None:
    """Make the folder of the prepared datasets absolute, and fill in the dataset of the preset mt-rl.

    Without any of the folders, offline: two small datasets, and no pairs.
    """
    section = content.get("mt_rl") or {}
    if content.get("preset") != DATASET or not isinstance(section, dict):
        return
    try:
        settings = MtRlSettings.model_validate(section)
    except ValidationError:
        return  # reported with all other settings
    folder = (file.absolute().parent if file else Path.cwd()) / os.path.expanduser(settings.folder)
    content["mt_rl"] = {**section, "folder": str(folder)}
    if offline and not content.get("datasets") and not has_folders(folder):
        content["datasets"] = [offline_dataset(_beside_checkout("avt-appeal-median.yaml"), settings.limit)]
        content["mt_rl"]["transfer"] = []
        return
    if not content.get("datasets"):
        content["datasets"] = [mt_rl_dataset(folder, settings.tasks, settings.limit)]
    transfer_configs(folder, settings.transfer)


def dataset_settings(dataset: EvalDataset) -> Settings:
    """Return task, data, prompts and several tasks of a dataset as settings of a run; raises `ConfigError`."""
    if dataset.config is not None:
        return load_settings(dataset.config)
    try:
        return load_settings(dataset.sections)
    except ConfigError as error:
        lines = str(error).splitlines()
        raise ConfigError("\n".join(f"datasets: {dataset.name}: {line}" for line in lines)) from None


def _from_file(file: Path) -> dict[str, Any]:
    content = read_yaml(file)
    if not isinstance(content, dict):
        raise ConfigError(f"{file} holds no settings; it must be a mapping with datasets and judges")
    sections = {name: section for name, section in content.items() if section is not None}
    base = file.absolute().parent
    datasets = sections.get("datasets")
    if isinstance(datasets, list):
        sections["datasets"] = [_with_paths(dataset, base) for dataset in datasets]
    return sections


def _with_paths(dataset: Any, base: Path) -> Any:
    """Return a dataset with absolute paths, and with the files of its tasks written out."""
    if not isinstance(dataset, dict):
        return dataset
    if isinstance(dataset.get("config"), str):
        dataset["config"] = str(base / os.path.expanduser(dataset["config"]))
    return absolute_paths(with_task_files(dataset, base, _sections_of_run), base)


def _sections_of_run(file: Path) -> dict[str, Any]:
    content = read_yaml(file)
    return dict(content) if isinstance(content, dict) else {}


def _offline(preset: object) -> dict[str, Any]:
    models: dict[str, Any] = {"judges": [{"name": "embedded"}]}
    if preset == DATASET:
        return {**models, "budget": {"calls": OFFLINE_CALLS * len(MT_RL_TASKS)}}
    several = preset == "unified"
    calls = OFFLINE_CALLS * (3 if several else 1)  # as much for each of three tasks as for a single task
    datasets: list[dict[str, Any]] = [{"name": "sample", **({"tasks": _SAMPLE_TASKS} if several else {})}]
    name, file = ("criteria", "avt-criteria.yaml") if several else ("appeal", "avt-appeal-median.yaml")
    ratings = _beside_checkout(file)
    if ratings is not None:
        datasets.append({"name": name, "config": str(ratings)})
    return {"datasets": datasets, **models, "budget": {"calls": calls}}


def _beside_checkout(name: str) -> Path | None:
    """Return the example's config if its images are beside the checkout."""
    config = _EXAMPLES / name
    return config if config.exists() and os.path.exists(load_settings(config).data.path or "") else None
