"""Where the state is kept: LangGraph checkpoints in SQLite, shared by the runs of one folder."""

import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # must be set before langgraph is imported

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from state.errors import RunError


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """Open the checkpoint file, made if absent; safe against kill -9 and shared by several processes.

    Raises `RunError` where `path` can't be opened or is no checkpoint file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = await aiosqlite.connect(path)
    except (OSError, aiosqlite.Error) as error:
        raise RunError(f"can't open the checkpoints {path}: {error}") from None
    try:
        try:
            await connection.execute("PRAGMA busy_timeout=30000")
            await connection.execute("PRAGMA synchronous=NORMAL")
            saver = AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
            await saver.setup()
        except aiosqlite.Error as error:
            raise RunError(f"can't use the checkpoints {path}: {error}") from None
        yield saver
    finally:
        await connection.close()
