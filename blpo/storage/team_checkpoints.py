"""LangGraph checkpoints in a team's PostgreSQL, in the schema of the response store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow

from blpo.storage.checkpoint_serializer import CheckpointSerializer
from blpo.storage.postgres import SCHEMA, connect, connect_async, newer_schema, schema_lock
from blpo.storage.postgres_errors import one_line_errors

_NEWEST = len(AsyncPostgresSaver.MIGRATIONS) - 1
_EXISTS = f"SELECT to_regclass('{SCHEMA}.checkpoint_migrations') IS NOT NULL AS value"
_VERSION = f"SELECT coalesce(max(v), -1) AS value FROM {SCHEMA}.checkpoint_migrations"


class TeamSaver(AsyncPostgresSaver):
    """LangGraph's saver over one connection. A lost connection is replaced: an API server may outlive a database.

    A failure is one line without the password, like all failures of a run's storage.
    """

    conn: AsyncConnection[DictRow]

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        super().__init__(connection, serde=CheckpointSerializer())
        self._connecting = asyncio.Lock()

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        async with self._connecting:
            if self.conn.closed:
                self.conn = await connect_async()
        with one_line_errors():
            async with super()._cursor(pipeline=pipeline) as cursor:
                yield cursor


@asynccontextmanager
async def open_team_checkpoints() -> AsyncIterator[TeamSaver]:
    """Open the saver over a new connection. Missing tables are made, and older tables are brought up to date.

    Raises `RunError` or `ConfigError` with one line.
    """
    saver = TeamSaver(await connect_async())
    try:
        with one_line_errors():
            version = await _version(saver.conn)
            if version > _NEWEST:
                raise newer_schema(version, _NEWEST)
            if version < _NEWEST:
                await asyncio.to_thread(_set_up)
        yield saver
    finally:
        await saver.conn.close()


async def _version(connection: AsyncConnection[Any]) -> int:
    """Return the number of the last migration; -1 without tables."""
    row: dict[str, Any] | None = None
    for statement in (_EXISTS, _VERSION):
        row = await (await connection.execute(statement.encode())).fetchone()
        if row is None or row["value"] is False:
            return -1
    return -1 if row is None else int(row["value"])


def _set_up() -> None:
    with connect() as connection, one_line_errors(), schema_lock(connection):
        PostgresSaver(connection).setup()
