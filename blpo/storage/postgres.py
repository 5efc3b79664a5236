"""The database that a team shares: how it is reached, and what to say where it can't be.

Its URL comes from the environment alone, because it holds a password; no message quotes the URL, nor what the driver
says of one that it can't read. All tables are in the schema `blpo`.
"""

import asyncio
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from state.errors import ConfigError, RunError, StoreError

if TYPE_CHECKING:  # an extra
    import psycopg

VARIABLE = "BLPO_DATABASE_URL"
SCHEMA = "blpo"

_DEFAULTS = {
    "application_name": "blpo",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""For what the URL leaves open: a server or a network that is gone is noticed within a minute."""
_SESSION = f"""
SELECT set_config('search_path', '{SCHEMA}', false), set_config('tcp_keepalives_idle', '30', false),
       set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)
"""
"""So that the server, too, notices within a minute that a process is gone with its machine, and frees its locks."""
_EXAMPLE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_CAUSES: tuple[tuple[str, type[RunError], str], ...] = (
    ("failed to resolve|could not translate host|idna", RunError, "the host {host} is unknown; correct the address"),
    (
        "password authentication failed|no password supplied|role .* does not exist|not permitted to log in",
        RunError,
        "the server at {place} does not accept the user {user} with this password; correct user or password",
    ),
    ("database .* does not exist", RunError, "the server at {place} has no database {dbname}; make it with createdb"),
    ("pg_hba.conf", RunError, "the server at {place} does not admit the user {user} from here; see its pg_hba.conf"),
    (
        "permission denied|must be owner|no schema has been selected",
        RunError,
        "the user {user} lacks rights in the database {dbname}; grant them as docs/teams.md says",
    ),
    ("read-only", RunError, "the server at {place} is read-only; give the address of the primary"),
    ("SSL", RunError, "the server at {place} can't be reached as sslmode and the like demand; correct them"),
    ("too many|connection slots", StoreError, "the server at {place} has no free connection; try again, or allow more"),
    ("starting up|shutting down|recovery", StoreError, "the server at {place} is starting or stopping; try again"),
    (
        "closed|terminating|consuming input|lost|reset by peer|broken pipe|EOF",
        StoreError,
        "the connection to {place} was lost; when the server is back, resume: what was answered is kept",
    ),
    (
        "refused|No such file|time(d )?out|unreachable|No route|is bad",
        StoreError,
        "no server answers at {place}; start it, or correct the address",
    ),
)
"""What the driver's message holds, and what that means."""


def connection_parameters() -> dict[str, Any]:
    """How to connect, by libpq's names; raises `ConfigError` where the extra or a valid URL is missing."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise ConfigError(
            "run.checkpoints: postgres needs the extra 'postgres'; install it with: pip install -e '.[postgres]'"
        ) from None
    url = os.environ.get(VARIABLE, "").strip()
    if not url:
        raise ConfigError(f"run.checkpoints: postgres needs the environment variable {VARIABLE}, such as {_EXAMPLE}")
    if not url.startswith(("postgresql://", "postgres://")) or url.count("@") > 1:
        raise _bad_url()
    try:
        given = conninfo_to_dict(url)
    except (ProgrammingError, ValueError):
        raise _bad_url() from None
    ports = str(given.get("port") or "5432").split(",")
    signs = (("host", "@"), ("dbname", "@"), ("dbname", "/"))  # of a password that was not encoded
    misplaced = any(sign in str(given.get(name) or "") for name, sign in signs)
    if misplaced or not all(not port or (port.isdecimal() and 0 < int(port) < 65536) for port in ports):
        raise _bad_url()
    return {**_DEFAULTS, **given}


def connect() -> "psycopg.Connection[Any]":
    """A connection in autocommit; raises `ConfigError` or `RunError` with one line."""
    parameters = connection_parameters()
    import psycopg

    with explaining():
        connection = psycopg.connect(**parameters, autocommit=True)
        connection.execute(_SESSION)
    return connection


async def connect_async() -> "psycopg.AsyncConnection[dict[str, Any]]":
    """The same for an event loop, with rows as mappings."""
    parameters = await asyncio.to_thread(connection_parameters)  # the first time it imports the driver
    import psycopg
    from psycopg.rows import dict_row

    with explaining():
        connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True, row_factory=dict_row)
        await connection.execute(_SESSION)
    return connection


@contextmanager
def explaining() -> Iterator[None]:
    """Raise what the driver raises in the block as `explained`."""
    import psycopg

    try:
        yield
    except (psycopg.Error, UnicodeError) as error:  # the latter for a host that can't be one
        raise explained(error) from None


def explained(error: Exception) -> RunError:
    """What a failure of the database means, in one line without the password."""
    given = connection_parameters()
    text = str(error)
    host, port = given.get("hostaddr") or given.get("host") or "localhost", given.get("port") or "5432"
    names = {
        "host": host,
        "place": f"{host}:{port}",
        "user": given.get("user") or "of this process",
        "dbname": given.get("dbname") or "of the user's name",
    }
    for pattern, kind, meaning in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(f"{VARIABLE}: {meaning.format(**names)}")
    return StoreError(f"{VARIABLE}: the server at {names['place']} says: {_masked(text, given)}")


def lock_key(kind: str, name: str) -> int:
    """The number under which PostgreSQL keeps the advisory lock of a run or of a request."""
    return int.from_bytes(hashlib.sha256(f"{SCHEMA} {kind} {name}".encode()).digest()[:8], signed=True)


@contextmanager
def migrating(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Make the schema if absent, and let nobody else change its tables until the end of the block."""
    key = lock_key("schema", SCHEMA)
    # Asked again and again: one who waits in a statement would block the building of an index, which waits for it.
    while not _first(connection, f"SELECT pg_try_advisory_lock({key})"):
        time.sleep(0.1)
    try:
        if not _first(connection, f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"):
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock({key})")


def newer_schema(found: int, known: int) -> RunError:
    """What to say of tables made by a later version."""
    return RunError(
        f"{VARIABLE}: the tables in schema {SCHEMA} have version {found}, and this blpo knows {known}; use a newer blpo"
    )


def _first(connection: "psycopg.Connection[Any]", sql: str) -> Any:
    row = connection.execute(sql.encode()).fetchone()
    return None if row is None else row[0]


def _bad_url() -> ConfigError:
    return ConfigError(
        f"{VARIABLE}: must read {_EXAMPLE}, with signs such as @ / : # % in user or password as %40 %2F %3A %23 %25"
    )


def _masked(text: str, given: dict[str, Any]) -> str:
    for name in ("password", "sslpassword", "passfile"):
        if given.get(name):
            text = text.replace(str(given[name]), "***")
    return " ".join(text.split())[:300]
