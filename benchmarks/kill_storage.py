"""Storage of the runs of `benchmarks.kill`: files, or a database of a real PostgreSQL server for each run."""

import sqlite3
from pathlib import Path
from typing import Protocol

import psycopg

from tests.servers.postgres import Cluster


class Storage(Protocol):
    """Settings that choose the storage of a run, and checks of the stored answers."""

    settings: tuple[str, ...]

    def environment(self, run: Path) -> dict[str, str]:
        """Return environment variables for processes that work on `run`."""

    def calls(self, run: Path) -> list[tuple[str, str | None]]:
        """Return (key of the request, outcome) of all calls, in the order of the calls."""

    def integrity(self, run: Path) -> list[str]:
        """Return the errors in the stored data."""


class Files:
    """Two SQLite files: the answers of the run, and the checkpoints of all runs of the folder."""

    settings: tuple[str, ...] = ()

    def environment(self, run: Path) -> dict[str, str]:
        """Return no variables."""
        return {}

    def calls(self, run: Path) -> list[tuple[str, str | None]]:
        """Read the calls from the file of the run."""
        with sqlite3.connect(run / "responses.sqlite") as database:
            rows = database.execute("SELECT key, outcome FROM calls ORDER BY id").fetchall()
        database.close()
        return rows

    def integrity(self, run: Path) -> list[str]:
        """Return the errors of PRAGMA integrity_check."""
        return [line for path in (run / "responses.sqlite", run.parent / "checkpoints.sqlite") for line in _check(path)]


class Postgres:
    """A database for each run: no run gets answers of a different run."""

    settings: tuple[str, ...] = ("run.checkpoints=postgres",)

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._databases: dict[Path, str] = {}

    def environment(self, run: Path) -> dict[str, str]:
        """Return the URL of the run's database."""
        if run not in self._databases:
            self._databases[run] = self._cluster.new_database()
        return {"BLPO_DATABASE_URL": self._cluster.url(self._databases[run])}

    def calls(self, run: Path) -> list[tuple[str, str | None]]:
        """Read the calls from the run's database."""
        with psycopg.connect(self.environment(run)["BLPO_DATABASE_URL"]) as connection:
            return connection.execute("SELECT key, outcome FROM blpo.run_calls ORDER BY id").fetchall()

    def integrity(self, run: Path) -> list[str]:
        """Return the numbers of answered calls without an answer, and of locks of dead processes."""
        wrong = {
            "answers are missing": "SELECT count(*) FROM blpo.run_calls LEFT JOIN blpo.responses USING (key)"
            " WHERE outcome = 'ok' AND text IS NULL",
            "locks are left": "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()",
        }
        with psycopg.connect(self.environment(run)["BLPO_DATABASE_URL"]) as connection:
            counts = {text: connection.execute(sql.encode()).fetchone() for text, sql in wrong.items()}
        return [f"{run.name}: {row} {text}" for text, row in counts.items() if row != (0,)]


def _check(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        lines = [f"{path.name}: {line}" for (line,) in database.execute("PRAGMA integrity_check") if line != "ok"]
    database.close()
    return lines
