"""Runs whose checkpoints and answers are in a team's database: announced when they begin, and known when resumed.

So a database that can't be used is found out before a run directory is made, and a URL that leads to another database
does not pay for everything again.
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
    """Make a new run known to the team, and the tables if need be; nothing where the run keeps files."""
    if settings.run.in_postgres:
        async with open_checkpoints(POSTGRES):
            store = await TeamStore.open_run(TeamRun(thread, path))
            await store.close()


async def require_known(run: RunDirectory) -> None:
    """Raise `RunError` where the run keeps its answers in a database, and not in this one."""
    thread = run.info.thread_id
    if run.checkpoints == POSTGRES and not await asyncio.to_thread(knows_run, thread):
        raise RunError(
            f"{VARIABLE}: this database does not know the run {thread} of {run.path}; give the database that it began"
            " in, or start a new run"
        )


async def forget_checkpoints(run: RunDirectory) -> None:
    """Let the run begin anew under the same thread; what was answered is read from the response store."""
    if isinstance(run.checkpoints, Path) and not run.checkpoints.exists():
        return
    async with open_checkpoints(run.checkpoints) as saver:
        await saver.adelete_thread(run.info.thread_id)
