"""Response store of a team in PostgreSQL. Runs and machines share the answers; all other rows belong to a run.

A process that pays for a request holds the request's lock in the database. The server frees the lock at the end of
the process, also after a kill. Other processes wait for the answer. A failure is not shared: the next process pays.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Self

from blpo.storage.database import Connection, Database
from blpo.storage.postgres import lock_key
from blpo.storage.response_store import ResponseStore
from blpo.storage.store_operations import response_of
from blpo.storage.store_statements import ANSWER
from blpo.storage.team_connection import connect_run
from state.response import Response

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_WARN_AFTER = 60.0
"""Seconds."""
_log = logging.getLogger("blpo")
Claim = Response | Literal["claimed", "busy"]
"""Result of a try to claim a key: the answer, the caller's right to pay, or another process that pays."""


@dataclass(frozen=True, slots=True)
class TeamRun:
    """A run with its answers in a team's database."""

    id: str
    """Id of the run's thread."""
    directory: Path
    """Folder of the run's files. The team sees the folder's name."""

    def __str__(self) -> str:
        return f"run {self.id}"


class TeamStore(ResponseStore):
    """A run's view of the team's store. Make a store with `open_run`."""

    @classmethod
    async def open_run(cls, run: TeamRun) -> Self:
        """Open the store for a run. No other process may have the run open.

        Missing tables are made, and older tables are migrated.
        Raises `RunError` or `ConfigError` with one line.
        """
        return cls(await Database.open(partial(connect_run, run.id, run.directory.name)))

    async def claim(self, key: str) -> Response | None:
        """Wait until no other process pays for the answer, then return the answer, or None: the caller may pay."""
        wait, waiting_time = _FIRST_WAIT, 0.0
        while (claim := await self._try_claim(key)) == "busy":
            await asyncio.sleep(wait)
            waiting_time += wait
            if waiting_time >= _WARN_AFTER > waiting_time - wait:
                _log.warning("another run is paying for an answer that this one needs; waiting for it")
            wait = min(1.5 * wait, _LONGEST_WAIT)
        return None if claim == "claimed" else claim

    async def release(self, key: str) -> None:
        """Free the lock, in a later transaction than the answer's, so that the next process finds the answer."""
        await self._database.read(partial(_release, key))

    async def _try_claim(self, key: str) -> Claim:
        claims: list[Claim] = []
        try:
            return await self._database.read(partial(_try_claim, key, claims))
        except asyncio.CancelledError:  # the operation may run all the same, and nobody would free the lock
            await self._database.read(lambda db: _release(key, db) if "claimed" in claims else None)
            raise


def _try_claim(key: str, claims: list[Claim], db: Connection) -> Claim:
    """Return the answer, or try to take the lock. The result is appended to `claims` too."""
    claim: Claim = "busy"
    if row := db.execute(ANSWER, (key,)).fetchone():
        claim = response_of(row)
    elif db.execute("SELECT pg_try_advisory_lock(?)", (lock_key("answer", key),)).fetchone()[0]:
        claim = "claimed"
        if row := db.execute(ANSWER, (key,)).fetchone():  # an answer that came between the two statements
            _release(key, db)
            claim = response_of(row)
    claims.append(claim)
    return claim


def _release(key: str, db: Connection) -> None:
    db.execute("SELECT pg_advisory_unlock(?)", (lock_key("answer", key),))
