"""The response store of a team, in PostgreSQL: answers are shared between runs and machines, all else is a run's own.

Who is about to pay for a request holds its lock in the database, which the server frees when that process ends,
however it does. Others who want the same answer wait for it; a failure is not shared, so then the next one asks.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Self

from blpo.storage.database import Connection, Database
from blpo.storage.postgres import lock_key
from blpo.storage.response_store import ANSWER, ResponseStore, response_of
from blpo.storage.team_connection import connect_run
from state.response import Response

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_TELL_AFTER = 60.0
_log = logging.getLogger("blpo")
Look = Response | Literal["claimed", "busy"]


@dataclass(frozen=True, slots=True)
class TeamRun:
    """A run whose answers are in a team's database."""

    id: str
    """That of its thread."""
    directory: Path
    """What else it keeps; the name is shown to the team."""

    def __str__(self) -> str:
        return f"run {self.id}"


class TeamStore(ResponseStore):
    """One run's view of the team's store. Make one with `open_run`."""

    @classmethod
    async def open_run(cls, run: TeamRun) -> Self:
        """Open the store for a run, which nobody else may have open.

        Makes the tables, or brings them up to date. Raises `RunError` or `ConfigError` with one line.
        """
        return cls(await Database.open(partial(connect_run, run.id, run.directory.name)))

    async def claim(self, key: str) -> Response | None:
        """The stored answer, as soon as nobody is paying for it; None: the caller may pay, and nobody else does."""
        wait, waited = _FIRST_WAIT, 0.0
        while (found := await self._look_once(key)) == "busy":
            await asyncio.sleep(wait)
            waited += wait
            if waited >= _TELL_AFTER > waited - wait:
                _log.warning("another run is paying for an answer that this one needs; waiting for it")
            wait = min(1.5 * wait, _LONGEST_WAIT)
        return None if found == "claimed" else found

    async def release(self, key: str) -> None:
        """Let others look: in a later transaction than the one that kept the answer, so that they see it."""
        await self._database.read(partial(_release, key))

    async def _look_once(self, key: str) -> Look:
        seen: list[Look] = []
        try:
            return await self._database.read(partial(_look, key, seen))
        except asyncio.CancelledError:  # the claim may still come to be, and nobody would release it
            await self._database.read(lambda db: _release(key, db) if "claimed" in seen else None)
            raise


def _look(key: str, seen: list[Look], db: Connection) -> Look:
    """The answer, or else whether this process may pay for it; noted in `seen` too."""
    found: Look = "busy"
    if row := db.execute(ANSWER, (key,)).fetchone():
        found = response_of(row)
    elif db.execute("SELECT pg_try_advisory_lock(?)", (lock_key("answer", key),)).fetchone()[0]:
        found = "claimed"
        if row := db.execute(ANSWER, (key,)).fetchone():  # kept between the two statements
            _release(key, db)
            found = response_of(row)
    seen.append(found)
    return found


def _release(key: str, db: Connection) -> None:
    db.execute("SELECT pg_advisory_unlock(?)", (lock_key("answer", key),))
