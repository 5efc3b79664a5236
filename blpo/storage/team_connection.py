"""A connection to a team's response store in PostgreSQL, as `blpo.storage.database` uses it, for one run."""

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
"""Seconds in which the server notices that the process that held a run was killed."""


class TeamConnection:
    """Sees the answers of all runs, and of everything else the rows of its own run."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        import psycopg

        self.name = VARIABLE
        self.errors: tuple[type[Exception], ...] = (psycopg.Error, ValueError)
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open on a connection that still stands."""
        return not self._connection.closed and self._connection.info.transaction_status != 0

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> "psycopg.Cursor[Any]":
        """Run one statement; NUL, which PostgreSQL's text can't hold, becomes U+FFFD."""
        values = [value.replace("\0", "�") if isinstance(value, str) else value for value in parameters]
        return self._connection.execute(_placeholders(sql), values)

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction; reading needs none, and saves two ways to the server and back."""
        if writes:
            self._connection.execute("BEGIN")

    def commit(self) -> None:
        """End it durably, if there is one."""
        if self.in_transaction:
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo it."""
        self._connection.execute("ROLLBACK")

    def failure(self, error: Exception) -> RunError:
        """What to say of one of `errors`."""
        return run_error(error)

    def close(self) -> None:
        """Close it; its locks are free from then on."""
        self._connection.close()


def connect_run(run: str, name: str) -> TeamConnection:
    """Connect for a run, which this process then holds alone, and make it known to the team if it is new.

    Raises `RunError`: another process holds it, or the database can't be used.
    """
    connection = connect()
    try:
        with one_line_errors():
            migrate(connection)
            connection.execute("SELECT set_config('blpo.run', %s, false)", (run,))
            _hold(connection, run)
            connection.execute("INSERT INTO runs (id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING", (run, name))
    except BaseException:
        connection.close()
        raise
    return TeamConnection(connection)


def knows_run(run: str) -> bool:
    """Whether the team's database has seen this run; raises `RunError` where it can't be used."""
    with connect() as connection, one_line_errors():
        migrate(connection)
        return connection.execute("SELECT 1 FROM runs WHERE id = %s", (run,)).fetchone() is not None


def _hold(connection: "psycopg.Connection[Any]", run: str) -> None:
    """Take the run's lock; it is free when this connection ends, however it does."""
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
    """The statement as psycopg wants it."""
    return sql.replace("?", "%s").encode()
