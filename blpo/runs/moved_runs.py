"""Repair of run.json after a run directory was moved or copied."""

import uuid
from dataclasses import replace
from pathlib import Path

from blpo.inference.run_store import store_path
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_info import BESIDE, RunInfo, read_info, recorded_checkpoints
from state.errors import RunError
from state.settings import Settings


def repair_moved_run(run: RunDirectory, settings: Settings) -> None:
    """Write the place of the checkpoints and the thread into run.json, for a resume by `settings`.

    Missing checkpoints are expected beside the run directory. A run without checkpoints is replayed from its response
    store. A copy gets a thread of its own while the original run exists. Raises `RunError` for missing answers.
    """
    before = run.settings()
    info = run.info
    if settings.run.in_postgres != before.run.in_postgres:
        raise RunError(
            f"run.checkpoints: {run.path} keeps its answers where it began; they do not move between a file and a"
            f" database, so leave it at {before.run.checkpoints or 'null'}, or start a new run"
        )
    in_files = isinstance(run.checkpoints, Path)  # a database finds answers by the thread, so the thread must stay
    if in_files and info.seconds and not store_path(run.path).exists():
        raise RunError(f"{store_path(run.path)} is missing; restore it, or start a new run, which pays for all again")
    if settings.run.checkpoints != before.run.checkpoints:
        info = replace(info, checkpoints=recorded_checkpoints(settings, run.path))
    elif isinstance(run.checkpoints, Path) and not run.checkpoints.exists():
        info = replace(info, checkpoints=BESIDE)
    if in_files and before.run.dir is not None and _is_copy(info, run.path, Path(before.run.dir)):
        info = replace(info, thread_id=str(uuid.uuid4()))
    run.save_info(info)


def _is_copy(info: RunInfo, path: Path, original: Path) -> bool:
    """Return True if the original of the run still exists elsewhere."""
    try:
        return not original.samefile(path) and read_info(original).thread_id == info.thread_id
    except (OSError, RunError):
        return False
