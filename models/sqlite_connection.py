"""The SQLite file of one run, as `models.database` uses it. Other processes may read at the same time (WAL)."""

import sqlite3
from functools import partial
from pathlib import Path

from models.database import Database
from state.errors import RunError, StoreError

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


def _connect(path: Path | str, schema: str, version: int) -> SqliteConnection:
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=SqliteConnection
    )
    connection.name = str(path)
    try:
        _prepare(connection, schema, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: SqliteConnection, schema: str, version: int) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if found != version and not empty:
        raise RunError(
            f"{connection.name}: has format {found}, this version of blpo reads format {version}; start a new run"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if empty:
        connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {version}; COMMIT;")
