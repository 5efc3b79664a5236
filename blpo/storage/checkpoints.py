"""LangGraph checkpoints: in a SQLite file for the runs of a folder, or in a team's database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from blpo.storage.checkpoint_serializer import CheckpointSerializer
from blpo.storage.database_url import connection_parameters
from blpo.storage.sqlite_connection import is_damaged
from state.errors import RunError, StoreError
from state.settings import POSTGRES

Target = Path | str
"""A SQLite file, or `postgres`."""


@asynccontextmanager
async def open_checkpoints(target: Target) -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Open the checkpoints, or make new checkpoints. Several processes may share a target. Checkpoints survive kill -9.

    The saver is strict: loading a checkpoint builds plain values only, and no object of a class named in the database.

    Raises `RunError` or `ConfigError` with one line if the checkpoints can't be opened.
    """
    if str(target) != POSTGRES:
        async with _open_file(Path(target)) as saver:
            yield saver
        return
    await asyncio.to_thread(connection_parameters)  # raises for a missing driver or URL
    from blpo.storage.team_checkpoints import open_team_checkpoints

    async with open_team_checkpoints() as saver:
        yield saver


@asynccontextmanager
async def _open_file(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        connection = await aiosqlite.connect(path)
    except (OSError, aiosqlite.Error) as error:
        raise RunError(f"can't open the checkpoints {path}: {error}") from None
    try:
        try:
            await connection.execute("PRAGMA busy_timeout=30000")
            await connection.execute("PRAGMA synchronous=NORMAL")
            saver = AsyncSqliteSaver(connection, serde=CheckpointSerializer())
            await saver.setup()
        except aiosqlite.Error as error:
            if is_damaged(error):
                raise RunError(_damaged(path, error)) from None
            raise RunError(f"can't use the checkpoints {path}: {error}") from None
        try:
            yield saver
        except aiosqlite.DatabaseError as error:
            if is_damaged(error):
                raise StoreError(_damaged(path, error)) from None
            raise
    finally:
        await connection.close()


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"the checkpoints {path} are damaged ({error}). Delete the file: `blpo resume` then replays each run of the"
        " folder from its responses.sqlite, at no cost"
    )
