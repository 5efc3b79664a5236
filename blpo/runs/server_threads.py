"""Run directories and settings of the API server's threads."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from blpo.config.config_hash import config_hash
from blpo.config.graph_context import Context
from blpo.config.settings_file import load_settings
from blpo.data.dataset import Dataset
from blpo.data.run_dataset import dataset_of
from blpo.inference.initial_prompts import initial_prompts
from blpo.prompts.template import read_templates
from blpo.runs.driver import BLPO
from blpo.runs.lineage import lineage_of
from blpo.runs.preflight import require_usable, require_usable_for_a_new_run
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_info import read_info
from blpo.runs.start_and_resume import check_data
from blpo.storage.checkpoints import Target
from state.errors import ConfigError, RunError
from state.settings import POSTGRES, PromptSettings, Settings


class ServedContext(Context):
    """Settings of a run; all defaults together run the built-in sample."""

    config: str | None = Field(default=None, title="Configuration file")
    """A YAML file of settings on the server's machine. The form's own settings, unless defaults, take
    precedence."""


def runs_folder() -> Path:
    """Return the folder of runs on the server."""
    return Path(os.environ.get("BLPO_RUNS") or "runs").absolute()


def checkpoint_target() -> Target:
    """Return the place of the checkpoints: the runs' folder, or the team's database for BLPO_CHECKPOINTS=postgres.

    Raises `ConfigError` for any other value. The message does not quote the value: an address may hold a password.
    """
    place = os.environ.get("BLPO_CHECKPOINTS")
    if place and place != POSTGRES:
        raise ConfigError(f"BLPO_CHECKPOINTS: must be {POSTGRES}, or left out to keep runs in files")
    return POSTGRES if place else runs_folder() / "checkpoints.sqlite"


@dataclass(frozen=True, slots=True)
class ThreadRun:
    """Run of a thread."""

    directory: RunDirectory
    """Locked."""
    settings: Settings
    dataset: Dataset


def run_of_thread(thread: str, context: Mapping[str, Any]) -> ThreadRun:
    """Open the run of a thread, with the settings to go on with; create a run for a new thread."""
    read_templates()
    wish = _settings(context)
    path = directories().get(thread)
    run = _new_run(thread, wish) if path is None else RunDirectory.open(path)
    try:
        settings = wish if path is None else _agreed(run, wish)
        require_usable(settings)
        dataset = dataset_of(settings)
        run.check_dataset(dataset.fingerprint, settings)
        judge, i2t = initial_prompts(settings)
        update = {
            "run": settings.run.model_copy(update={"dir": str(run.path), "checkpoints": str(checkpoint_target())}),
            "prompts": PromptSettings(judge=judge, i2t=i2t),  # the nodes read no prompt file
        }
    except BaseException:
        run.close()
        raise
    return ThreadRun(run, settings.model_copy(update=update), dataset)


def _settings(context: Mapping[str, Any]) -> Settings:
    """Return the settings of the context: the configuration file, changed by all settings but defaults."""
    form = ServedContext(**context)
    changes = form.model_dump(exclude_defaults=True, exclude={"config"})
    if form.config is None:
        return load_settings(changes)
    base = load_settings(form.config).model_dump(exclude_unset=True)
    return load_settings(_merged(base, changes))


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` changed by `changes`, section by section."""
    inner = {
        name: _merged(base[name], value)
        for name, value in changes.items()
        if isinstance(base.get(name), dict) and isinstance(value, Mapping)
    }
    return {**base, **changes, **inner}


def _new_run(thread: str, settings: Settings) -> RunDirectory:
    """Create the run of a new thread in a directory named after the thread, whatever `run.dir` says."""
    target = checkpoint_target()
    if settings.run.in_postgres and target != POSTGRES:
        raise ConfigError(
            "run.checkpoints: this server keeps its runs in files; leave it out, or start the server with"
            " BLPO_CHECKPOINTS=postgres"
        )
    require_usable_for_a_new_run(settings)
    check_data(settings)
    path = runs_folder() / thread
    run = settings.run.model_copy(update={"dir": str(path), "checkpoints": str(target)})
    settings = settings.model_copy(update={"run": run})
    dataset = dataset_of(settings)
    return RunDirectory.create(settings, path, dataset.fingerprint, thread, lineage=lineage_of(settings, dataset))


def _agreed(run: RunDirectory, wish: Settings) -> Settings:
    """Return the run's own settings, or `wish` if both lead to the same results; raises `RunError` otherwise."""
    run.require_method(BLPO.name)
    if run.checkpoints != checkpoint_target():
        raise RunError(f"{run.path} keeps its checkpoints in {run.checkpoints}, and the server's are elsewhere")
    own = run.settings()
    if wish == Settings():
        return own
    if config_hash(wish) != run.info.config_hash:
        raise RunError(
            f"the thread is the run {run.path}, which began with other settings; leave the context empty to go on with"
            " the run, or begin a new thread"
        )
    return wish


def directories() -> dict[str, Path]:
    """Return the run directories of the folder by thread id."""
    paths = {}
    for file in sorted(runs_folder().glob("*/run.json")):
        with suppress(RunError):
            paths[read_info(file.parent).thread_id] = file.parent
    return paths
