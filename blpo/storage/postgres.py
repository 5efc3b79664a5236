"""Connections to a team's PostgreSQL. All tables are in the schema `blpo`."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from blpo.storage.database_url import VARIABLE, connection_parameters
from blpo.storage.postgres_errors import one_line_errors
from state.errors import RunError

if TYPE_CHECKING:  # an extra
    import psycopg

SCHEMA = "blpo"

_POLL_SECONDS = 0.1
_SESSION = f"""
SELECT set_config('search_path', '{SCHEMA}', false), set_config('tcp_keepalives_idle', '30', false),
       set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)
"""
"""Keepalives: within a minute the server notices the end of a client's machine, and frees the client's locks."""


def connect() -> "psycopg.Connection[Any]":
    """Open a connection in autocommit; raises `ConfigError` or `RunError` with one line."""
    parameters = connection_parameters()
    import psycopg

    with one_line_errors(connecting=True):
        connection = psycopg.connect(**parameters, autocommit=True)
    with one_line_errors():
        connection.execute(_SESSION)
    return connection


async def connect_async() -> "psycopg.AsyncConnection[dict[str, Any]]":
    """Open a connection for an event loop, with rows as mappings; raises like `connect`."""
    parameters = await asyncio.to_thread(connection_parameters)  # the first call imports the driver
    import psycopg
    from psycopg.rows import dict_row

    with one_line_errors(connecting=True):
        connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True, row_factory=dict_row)
    with one_line_errors():
        await connection.execute(_SESSION)
    return connection


def lock_key(kind: str, name: str) -> int:
    """Return the number of the advisory lock of a run, of a request or of the schema."""
    return int.from_bytes(hashlib.sha256(f"{SCHEMA} {kind} {name}".encode()).digest()[:8], signed=True)


@contextmanager
def schema_lock(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Make the schema if absent, and let no other process change its tables until the block ends.

    The lock is polled. A statement in wait for the lock would block a new index of the process with the lock.
    """
    key = lock_key("schema", SCHEMA)
    while not _first_value(connection, f"SELECT pg_try_advisory_lock({key})"):
        time.sleep(_POLL_SECONDS)
    try:
        if not _first_value(connection, f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"):
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock({key})")


def newer_schema(version: int, newest: int) -> RunError:
    """Return the error for tables of a later version of blpo."""
    return RunError(
        f"{VARIABLE}: the tables in schema {SCHEMA} have version {version}, and this blpo knows {newest};"
        " use a newer blpo"
    )


def _first_value(connection: "psycopg.Connection[Any]", sql: str) -> Any:
    row = connection.execute(sql.encode()).fetchone()
    return None if row is None else row[0]
