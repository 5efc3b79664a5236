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
from blpo.config.yaml_text import read_yaml
from evals.experiment_settings import EvalDataset, EvalSettings
from state.errors import ConfigError
from state.settings import Settings

_EXAMPLES = Path(__file__).parent.parent / "examples"
OFFLINE_CALLS = 800
"""Default budget in calls for a cell with embedded models."""
_DEFAULTS = EvalSettings.model_construct()


def load_eval_settings(
    config: str | Path | None = None,
    *,
    preset: str | None = None,
    offline: bool | None = None,
    overrides: Sequence[str] = (),
) -> EvalSettings:
    """Return the settings of an experiment from the file, then `preset`, then overrides; a later source wins.

    `offline` adds defaults for datasets, judges and budget: the built-in sample, the ratings of appeal if their folder
    lies beside the checkout, embedded models, and 800 calls a cell. None: only for the preset `budget`. Raises
    `ConfigError` with one line for each problem.
    """
    file = Path(config) if config is not None else None
    content = _from_file(file) if file else {}
    if preset is not None:
        content["preset"] = preset
    if offline or (offline is None and content.get("preset") == "budget"):
        content = {**_offline(), **content}
    for override in overrides:
        apply_override(content, override, _DEFAULTS)
    if missing := [name for name in ("datasets", "judges") if not content.get(name)]:
        where = f"{file}: " if file else ""
        raise ConfigError(f"{where}{' and '.join(missing)} must be given; or use --offline for embedded models")
    try:
        return EvalSettings.model_validate(content)
    except ValidationError as error:
        lines = setting_problems(error, EvalSettings)
    where = f"{file}: " if file else ""
    raise ConfigError("\n".join(f"{where}{line}" for line in lines))


def dataset_settings(dataset: EvalDataset) -> Settings:
    """Return task, data and prompts of a dataset as settings of a run; raises `ConfigError`."""
    if dataset.config is not None:
        return load_settings(dataset.config)
    parts = {name: getattr(dataset, name) for name in ("task", "data", "prompts")}
    try:
        return load_settings(parts)
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
    for dataset in datasets if isinstance(datasets, list) else ():
        if isinstance(dataset, dict):
            absolute_paths(dataset, base)
            if isinstance(dataset.get("config"), str):
                dataset["config"] = str(base / os.path.expanduser(dataset["config"]))
    return sections


def _offline() -> dict[str, Any]:
    datasets: list[dict[str, Any]] = [{"name": "sample"}]
    appeal = _EXAMPLES / "avt-appeal-median.yaml"
    if appeal.exists() and os.path.exists(load_settings(appeal).data.path or ""):
        datasets.append({"name": "appeal", "config": str(appeal)})
    return {"datasets": datasets, "judges": [{"name": "embedded"}], "budget": {"calls": OFFLINE_CALLS}}
