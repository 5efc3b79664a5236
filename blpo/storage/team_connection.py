"""PostgreSQL connection of a run to the team's response store, for `blpo.storage.database`."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from blpo.storage.database_url import VARIABLE
from blpo.storage.postgres import connect, lock_key
from blpo.storage.postgres_errors import one_line_errors, run_error
from blpo.storage.team_schema import migrate
from state.errors import RunError

if TYPE_CHECKING:  # an extra
    import psycopg

_PATIENCE = 5.0
"""Seconds until the server notices the kill of a process, and frees the run's lock."""


class TeamConnection:
    """Connection with a view of all answers, and of the run's own rows."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        import psycopg

        self.name = VARIABLE
        self.errors: tuple[type[Exception], ...] = (psycopg.Error, ValueError)
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """True if the connection is open and has an open transaction."""
        return not self._connection.closed and self._connection.info.transaction_status != 0

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> "psycopg.Cursor[Any]":
        """Run a statement. NUL becomes U+FFFD, because a text in PostgreSQL can't hold NUL."""
        values = [value.replace("\0", "�") if isinstance(value, str) else value for value in parameters]
        return self._connection.execute(_placeholders(sql), values)

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction for writes. A read goes without a transaction, and saves two round trips."""
        if writes:
            self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Commit an open transaction durably."""
        if self.in_transaction:
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction."""
        self._connection.execute("ROLLBACK")

    def failure(self, error: Exception) -> RunError:
        """Return the error for the user in place of one of `errors`."""
        return run_error(error)

    def close(self) -> None:
        """Close the connection. The server frees the connection's locks."""
        self._connection.close()


def connect_run(run: str, name: str) -> TeamConnection:
    """Connect for a run and take the run's lock. A new run is added to the team's runs.

    Raises `RunError` if another process has the lock, or the database can't be used.
    """
    connection = connect()
    try:
        with one_line_errors():
            migrate(connection)
            connection.execute("SELECT set_config('blpo.run', %s, false)", (run,))
            _lock_run(connection, run)
            connection.execute("INSERT INTO runs (id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING", (run, name))
    except BaseException:
        connection.close()
        raise
    return TeamConnection(connection)


def knows_run(run: str) -> bool:
    """Return True if the team's database has a row for this run; raises `RunError` if the database can't be used."""
    with connect() as connection, one_line_errors():
        migrate(connection)
        return connection.execute("SELECT 1 FROM runs WHERE id = %s", (run,)).fetchone() is not None


def _lock_run(connection: "psycopg.Connection[Any]", run: str) -> None:
    """Take the run's lock. The server frees the lock at the end of the connection, also after a kill."""
    end = time.monotonic() + _PATIENCE
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock_key("run", run),)).fetchone()
        if row is not None and row[0]:
            return
        if time.monotonic() > end:
            raise RunError(
                f"another process, perhaps on another machine, is working on the run {run} in the team's database;"
                " wait for it, or stop it, then try again"
            )
        time.sleep(0.1)


@lru_cache(maxsize=64)
def _placeholders(sql: str) -> bytes:
    """Return the statement with psycopg's placeholders."""
    return sql.replace("?", "%s").encode()
