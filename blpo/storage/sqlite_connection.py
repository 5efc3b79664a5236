"""The SQLite file of one run, as `blpo.storage.database` uses it. Other processes may read at the same time (WAL)."""

import sqlite3
from functools import partial
from pathlib import Path

from blpo.storage.database import Database
from state.errors import RunError, StoreError

TEMPORARY = ""
"""In place of a path: a file without a name, gone when it is closed; what is little never leaves memory."""

_BUSY_SECONDS = 30.0


class SqliteConnection(sqlite3.Connection):
    """One that can name its failures and begin a transaction."""

    errors = (sqlite3.Error, ValueError)
    name = ""

    def begin(self, *, writes: bool) -> None:
        """Begin: immediately, because a read that turns into a write can't wait for another writer."""
        self.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def failure(self, error: Exception) -> StoreError:
        """What to say of one of `errors`."""
        return StoreError(f"{self.name}: can't be used ({error}); free disk space or fix its permissions, then resume")


async def open_sqlite(path: Path | str, schema: str, version: int) -> Database:
    """Open the file at `path` (`:memory:`: none), creating it with `schema`; one of another version is refused."""
    try:
        return await Database.open(partial(_connect, path, schema, version))
    except (sqlite3.Error, OSError) as error:
        raise RunError(f"{path}: can't be opened ({error}); make the folder writable or restore the file") from error


async def open_sqlite_to_read(path: Path, version: int) -> Database:
    """Open an existing file of this version; nothing is created or changed, not even beside it."""
    try:
        return await Database.open(partial(_connect_to_read, path, version))
    except (sqlite3.Error, OSError) as error:
        raise RunError(f"{path}: can't be read ({error}); restore the file") from error


def _connect_to_read(path: Path, version: int) -> SqliteConnection:
    # A log of writes beside the file is read with it; without one nobody writes, and the file is taken as it is, since
    # opening it otherwise would make such a log.
    logged = path.with_name(path.name + "-wal").exists()
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{'' if logged else '&immutable=1'}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=SqliteConnection,
    )
    connection.name = str(path)
    try:
        _require_version(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path | str, schema: str, version: int) -> SqliteConnection:
    if path not in (":memory:", TEMPORARY):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=SqliteConnection
    )
    connection.name = str(path) or "the temporary store"
    try:
        _prepare(connection, schema, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_version(connection: SqliteConnection, version: int) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != version:
        raise RunError(
            f"{connection.name}: has format {found}, this version of blpo reads format {version}; start a new run"
        )


def _prepare(connection: SqliteConnection, schema: str, version: int) -> None:
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if not empty:
        _require_version(connection, version)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if empty:
        connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {version}; COMMIT;")
