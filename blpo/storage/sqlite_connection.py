"""SQLite file of a run, as a connection for `blpo.storage.database`. Other processes may read at any time (WAL)."""

import sqlite3
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from blpo.storage.database import Database
from state.errors import RunError, StoreError

TEMPORARY = ""
"""Path of a nameless file that SQLite deletes on closing. A small file never leaves memory."""

LaterColumns = Mapping[str, tuple[str, ...]]
"""Names of integer columns by table. A file of the same version may lack the columns."""

_NO_COLUMNS: LaterColumns = {}
_BUSY_SECONDS = 30.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_damaged(error: BaseException) -> bool:
    """Return true for an error that says that the content of a SQLite file is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def damaged_store(path: object, error: BaseException) -> str:
    """Return the message for a damaged file of answers: only a copy of the file has the answers."""
    return (
        f"{path} is damaged ({error}), and holds the paid answers of the run. Restore the file from a backup; without a"
        " backup start a new run, which pays for all calls again"
    )


class SqliteConnection(sqlite3.Connection):
    """Connection with errors for the user and with a choice of transactions."""

    errors = (sqlite3.Error, ValueError)
    name = ""

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction. A write begins immediately: a read can't become a write while another process writes."""
        self.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def failure(self, error: Exception) -> StoreError:
        """Return the error for the user in place of one of `errors`."""
        if is_damaged(error):
            return StoreError(damaged_store(self.name, error))
        return StoreError(f"{self.name}: can't be used ({error}); free disk space or fix its permissions, then resume")


async def open_sqlite(path: Path | str, tables: str, version: int, later: LaterColumns = _NO_COLUMNS) -> Database:
    """Open the file at `path`, or create the file with `tables`; `:memory:` has no file.

    Missing columns of `later` are added, and are null in older rows.
    Raises `RunError` if the file has another version or can't be opened.
    """
    try:
        return await Database.open(partial(_connect, path, tables, version, later))
    except (sqlite3.Error, OSError) as error:
        if is_damaged(error):
            raise RunError(damaged_store(path, error)) from error
        raise RunError(f"{path}: can't be opened ({error}); make the folder writable or restore the file") from error


async def open_sqlite_to_read(path: Path, version: int, later: LaterColumns = _NO_COLUMNS) -> Database:
    """Open an existing file of this version to read. The file and its folder stay unchanged.

    Missing columns of `later` read as null.
    Raises `RunError` if the file has another version or can't be read.
    """
    try:
        return await Database.open(partial(_connect_to_read, path, version, later))
    except (sqlite3.Error, OSError) as error:
        if is_damaged(error):
            raise RunError(damaged_store(path, error)) from error
        raise RunError(f"{path}: can't be read ({error}); restore the file") from error


def _connect_to_read(path: Path, version: int, later: LaterColumns) -> SqliteConnection:
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
        for table, columns in _missing_columns(connection, later):
            nulls = ", ".join(f"NULL AS {column}" for column in columns)
            # The view is in memory, and hides the table of the file.
            connection.execute(f"CREATE TEMP VIEW {table} AS SELECT *, {nulls} FROM main.{table}")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path | str, tables: str, version: int, later: LaterColumns) -> SqliteConnection:
    if path not in (":memory:", TEMPORARY):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=SqliteConnection
    )
    connection.name = str(path) or "the temporary store"
    try:
        _prepare(connection, tables, version)
        _add_columns(connection, later)
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


def _missing_columns(connection: SqliteConnection, later: LaterColumns) -> Iterator[tuple[str, list[str]]]:
    """Yield every table that lacks columns, with the names of the columns."""
    for table, columns in later.items():
        names = {row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")}
        if missing := [column for column in columns if column not in names]:
            yield table, missing


def _add_columns(connection: SqliteConnection, later: LaterColumns) -> None:
    if not any(_missing_columns(connection, later)):
        return
    connection.execute("BEGIN IMMEDIATE")  # another process may add the same columns
    for table, columns in list(_missing_columns(connection, later)):
        for column in columns:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER")
    connection.execute("COMMIT")


def _prepare(connection: SqliteConnection, tables: str, version: int) -> None:
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if not is_empty:
        _require_version(connection, version)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if is_empty:
        connection.executescript(f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {version}; COMMIT;")
