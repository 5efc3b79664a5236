"""SQLite file of a run, as a connection for `blpo.storage.database`. Other processes may read at any time (WAL)."""

import sqlite3
from functools import partial
from pathlib import Path

from blpo.storage.database import Database
from state.errors import RunError, StoreError

TEMPORARY = ""
"""Path of a nameless file that SQLite deletes on closing. A small file never leaves memory."""

_BUSY_SECONDS = 30.0


class SqliteConnection(sqlite3.Connection):
    """Connection with errors for the user and with a choice of transactions."""

    errors = (sqlite3.Error, ValueError)
    name = ""

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction. A write begins immediately: a read can't become a write while another process writes."""
        self.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def failure(self, error: Exception) -> StoreError:
        """Return the error for the user in place of one of `errors`."""
        return StoreError(f"{self.name}: can't be used ({error}); free disk space or fix its permissions, then resume")


async def open_sqlite(path: Path | str, tables: str, version: int) -> Database:
    """Open the file at `path`, or create the file with `tables`; `:memory:` has no file.

    Raises `RunError` if the file has another version or can't be opened.
    """
    try:
        return await Database.open(partial(_connect, path, tables, version))
    except (sqlite3.Error, OSError) as error:
        raise RunError(f"{path}: can't be opened ({error}); make the folder writable or restore the file") from error


async def open_sqlite_to_read(path: Path, version: int) -> Database:
    """Open an existing file of this version to read. The file and its folder stay unchanged.

    Raises `RunError` if the file has another version or can't be read.
    """
    try:
        return await Database.open(partial(_connect_to_read, path, version))
    except (sqlite3.Error, OSError) as error:
        raise RunError(f"{path}: can't be read ({error}); restore the file") from error


def _connect_to_read(path: Path, version: int) -> SqliteConnection:
    # Without a write-ahead log nobody writes the file. `immutable` then keeps SQLite from making a log beside the file.
    has_log = path.with_name(path.name + "-wal").exists()
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{'' if has_log else '&immutable=1'}",
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


def _connect(path: Path | str, tables: str, version: int) -> SqliteConnection:
    if path not in (":memory:", TEMPORARY):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=SqliteConnection
    )
    connection.name = str(path) or "the temporary store"
    try:
        _prepare(connection, tables, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_version(connection: SqliteConnection, version: int) -> None:
    file_version = connection.execute("PRAGMA user_version").fetchone()[0]
    if file_version != version:
        raise RunError(
            f"{connection.name}: has format {file_version}, this version of blpo reads format {version};"
            " start a new run"
        )


def _prepare(connection: SqliteConnection, tables: str, version: int) -> None:
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if not is_empty:
        _require_version(connection, version)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if is_empty:
        connection.executescript(f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {version}; COMMIT;")
