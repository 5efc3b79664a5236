"""Runs that were moved or copied: where their checkpoints are now, and which of two goes on with them."""

import uuid
from dataclasses import replace
from pathlib import Path

from blpo.inference.run_store import store_path
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_info import BESIDE, RunInfo, read_info, recorded_checkpoints
from state.errors import RunError
from state.settings import Settings


def settle(run: RunDirectory, settings: Settings) -> None:
    """Let `run` go on where it lies now, by `settings`.

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
    in_files = isinstance(run.checkpoints, Path)  # a database knows the answers by the thread, which must stay
    if in_files and info.seconds and not store_path(run.path).exists():
        raise RunError(f"{store_path(run.path)} is missing; restore it, or start a new run, which pays for all again")
    if settings.run.checkpoints != before.run.checkpoints:
        info = replace(info, checkpoints=recorded_checkpoints(settings, run.path))
    elif isinstance(run.checkpoints, Path) and not run.checkpoints.exists():
        info = replace(info, checkpoints=BESIDE)
    if in_files and before.run.dir is not None and _is_copy(info, run.path, Path(before.run.dir)):
        info = replace(info, thread_id=str(uuid.uuid4()))
    run.save_info(info)


def _is_copy(info: RunInfo, path: Path, made_at: Path) -> bool:
    """Whether the run lies elsewhere than where it was made, and that one is there too."""
    try:
        return not made_at.samefile(path) and read_info(made_at).thread_id == info.thread_id
    except (OSError, RunError):
        return False
