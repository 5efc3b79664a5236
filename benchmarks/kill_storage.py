"""Where the runs of `benchmarks.kill` keep their answers: files, or a database of a real PostgreSQL for each run."""

import sqlite3
from pathlib import Path
from typing import Protocol

import psycopg

from tests.servers.postgres import Cluster


class Storage(Protocol):
    """How a run is told where to keep its answers, and what it has kept."""

    settings: tuple[str, ...]

    def environment(self, run: Path) -> dict[str, str]:
        """What the processes that work on `run` find in their environment."""

    def calls(self, run: Path) -> list[tuple[str, str | None]]:
        """(request's key, outcome) of all its calls, in the order in which they were issued."""

    def integrity(self, run: Path) -> list[str]:
        """What is wrong with what it has kept."""


class Files:
    """Two SQLite files: the run's answers, and checkpoints that all runs of the folder share."""

    settings: tuple[str, ...] = ()

    def environment(self, run: Path) -> dict[str, str]:
        """Nothing."""
        return {}

    def calls(self, run: Path) -> list[tuple[str, str | None]]:
        """From the run's own file."""
        with sqlite3.connect(run / "responses.sqlite") as database:
            rows = database.execute("SELECT key, outcome FROM calls ORDER BY id").fetchall()
        database.close()
        return rows

    def integrity(self, run: Path) -> list[str]:
        """Answers of PRAGMA integrity_check other than ok."""
        return [line for path in (run / "responses.sqlite", run.parent / "checkpoints.sqlite") for line in _check(path)]


class Postgres:
    """A database for each run, so that none is served what another has paid for."""

    settings: tuple[str, ...] = ("run.checkpoints=postgres",)

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._databases: dict[Path, str] = {}

    def environment(self, run: Path) -> dict[str, str]:
        """The URL of the run's database."""
        if run not in self._databases:
            self._databases[run] = self._cluster.new_database()
        return {"BLPO_DATABASE_URL": self._cluster.url(self._databases[run])}

    def calls(self, run: Path) -> list[tuple[str, str | None]]:
        """From the run's database."""
        with psycopg.connect(self.environment(run)["BLPO_DATABASE_URL"]) as connection:
            return connection.execute("SELECT key, outcome FROM blpo.run_calls ORDER BY id").fetchall()

    def integrity(self, run: Path) -> list[str]:
        """Calls that count as answered without an answer, and locks that outlive their process."""
        wrong = {
            "answers are missing": "SELECT count(*) FROM blpo.run_calls LEFT JOIN blpo.responses USING (key)"
            " WHERE outcome = 'ok' AND text IS NULL",
            "locks are left": "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()",
        }
        with psycopg.connect(self.environment(run)["BLPO_DATABASE_URL"]) as connection:
            found = {text: connection.execute(sql.encode()).fetchone() for text, sql in wrong.items()}
        return [f"{run.name}: {row} {text}" for text, row in found.items() if row != (0,)]


def _check(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        lines = [f"{path.name}: {line}" for (line,) in database.execute("PRAGMA integrity_check") if line != "ok"]
    database.close()
    return lines
