"""Runs with checkpoints and answers in a team's database.

A new run is announced to the database before its directory is created, so that an unusable database leaves no directory
behind. A resumed run must be known to the database, so that a wrong URL does not pay for all calls again.
"""

import asyncio
from pathlib import Path

from blpo.runs.run_directory import RunDirectory
from blpo.storage.checkpoints import open_checkpoints
from blpo.storage.database_url import VARIABLE
from blpo.storage.team_connection import knows_run
from blpo.storage.team_store import TeamRun, TeamStore
from state.errors import RunError
from state.settings import POSTGRES, Settings


async def announce(settings: Settings, thread: str, path: Path) -> None:
    """Record a new run in the team's database, and create missing tables; does nothing for a run in files."""
    if settings.run.in_postgres:
        async with open_checkpoints(POSTGRES):
            store = await TeamStore.open_run(TeamRun(thread, path))
            await store.close()


async def require_known_run(run: RunDirectory) -> None:
    """Raise `RunError` for a run unknown to the database."""
    thread = run.info.thread_id
    if run.checkpoints == POSTGRES and not await asyncio.to_thread(knows_run, thread):
        raise RunError(
            f"{VARIABLE}: this database does not know the run {thread} of {run.path}; give the database of its"
            " start, or start a new run"
        )


async def forget_checkpoints(run: RunDirectory) -> None:
    """Delete the checkpoints, so that the run starts again under the same thread, from the stored answers."""
    if isinstance(run.checkpoints, Path) and not run.checkpoints.exists():
        return
    async with open_checkpoints(run.checkpoints) as saver:
        await saver.adelete_thread(run.info.thread_id)
