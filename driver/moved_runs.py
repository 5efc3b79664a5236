"""Runs that were moved or copied: where their checkpoints are now, and which of two goes on with them."""

import uuid
from dataclasses import replace
from pathlib import Path

from driver.run_directory import BESIDE, RunDirectory, RunInfo, read_info, recorded_checkpoints
from state.config import dump_settings
from state.errors import RunError
from state.settings import Settings


def settle(run: RunDirectory, settings: Settings) -> Settings:
    """Let `run` go on where it lies now, by `settings`; returns them with the directory as it is now.

    Checkpoints that are not found are looked for beside the run; where there are none of this run, it is replayed from
    its response store. A copy goes on with a thread of its own, if the run that it was made of is still there.
    """
    before = run.settings()
    info = run.info
    if settings.run.in_postgres != before.run.in_postgres:
        raise RunError(
            f"run.checkpoints: {run.path} keeps its answers where it began; they do not move between a file and a"
            f" database, so leave it at {before.run.checkpoints or 'null'}, or start a new run"
        )
    if settings.run.checkpoints != before.run.checkpoints:
        info = replace(info, checkpoints=recorded_checkpoints(settings, run.path))
    elif isinstance(run.checkpoints, Path) and not run.checkpoints.exists():
        info = replace(info, checkpoints=BESIDE)
    if before.run.dir is not None and _is_copy(info, run.path, Path(before.run.dir)):
        info = replace(info, thread_id=str(uuid.uuid4()))
    run.save_info(info)
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(run.path)})})
    run.write("config.yaml", dump_settings(settings))
    return settings


def _is_copy(info: RunInfo, path: Path, made_at: Path) -> bool:
    """Whether the run lies elsewhere than where it was made, and that one is there too."""
    try:
        return not made_at.samefile(path) and read_info(made_at).thread_id == info.thread_id
    except (OSError, RunError):
        return False
