"""The response store: the memory of a run. Every model call goes through it, so nothing is paid for twice.

Content-addressed: an answer is found by its request's key, whoever asks. Each call has a row that is written before the
request is sent, so that calls and spend are counted exactly, also across kills. Nothing is pickled.
"""

import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from blpo.storage.database import Connection, Database
from blpo.storage.sqlite_connection import open_sqlite, open_sqlite_to_read
from state.errors import RunError
from state.response import Failure, Response, Traffic

T = TypeVar("T")
NONE = Traffic()

FORMAT = 2

SCHEMA = """
CREATE TABLE responses (
  key TEXT PRIMARY KEY, text TEXT NOT NULL, refused INTEGER NOT NULL, finish_reason TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, model_version TEXT NOT NULL, scores TEXT NOT NULL);
CREATE TABLE calls (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL, issued_at REAL NOT NULL,
  outcome TEXT, detail TEXT, attempts INTEGER, input_tokens INTEGER, output_tokens INTEGER, usd REAL,
  bytes_sent INTEGER, bytes_received INTEGER);
CREATE TABLE texts (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE hits (role TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE servers (model TEXT, address TEXT, structured_output TEXT NOT NULL, PRIMARY KEY (model, address));
"""
# calls.outcome: null while in flight (and for ever, if the process was killed then), 'ok' or 'failed'.

ANSWER = """
SELECT text, refused, finish_reason, input_tokens, output_tokens, model_version, scores FROM responses WHERE key = ?
"""
_BEGIN = "INSERT INTO calls (key, role, model, issued_at) VALUES (?, ?, ?, ?) RETURNING id"
_KEEP = """
INSERT INTO responses SELECT key, ?, ?, ?, ?, ?, ?, ? FROM calls WHERE id = ? ON CONFLICT (key) DO NOTHING
"""
_FINISH = """
UPDATE calls SET outcome = 'ok', attempts = ?, bytes_sent = ?, bytes_received = ?, input_tokens = ?, output_tokens = ?,
                 usd = ? WHERE id = ?
"""
_FAIL = """
UPDATE calls SET outcome = 'failed', attempts = ?, bytes_sent = ?, bytes_received = ?, detail = ? WHERE id = ?
"""
_FAILED = "SELECT detail FROM calls WHERE key = ? AND outcome = 'failed' ORDER BY id DESC LIMIT 1"
_MORE_HITS = "UPDATE hits SET count = count + ? WHERE role = ?"
_FIRST_HITS = "INSERT INTO hits (count, role) VALUES (?, ?)"
_TWICE = "SELECT count(*) FROM (SELECT 1 FROM calls GROUP BY key HAVING count(*) > 1) AS twice"
_PUT_TEXT = "INSERT INTO texts VALUES (?, ?) ON CONFLICT DO NOTHING"
_USAGE = """
SELECT role, count(*), count(*) FILTER (WHERE outcome = 'ok'), count(*) FILTER (WHERE outcome = 'failed'),
       sum(input_tokens), sum(output_tokens), sum(usd), count(*) FILTER (WHERE outcome = 'ok' AND usd IS NULL),
       sum(bytes_sent), sum(bytes_received)
FROM calls GROUP BY role
"""


@dataclass(frozen=True, slots=True)
class RoleCounts:
    """What one role has asked for, over all resumes."""

    issued: int = 0
    """Requests sent, whatever came of them; tries of one request count once."""
    answered: int = 0
    failed: int = 0
    """Ended without an answer after retries. issued - answered - failed were in flight when asked, or when killed."""
    cached: int = 0
    """Answers served without a call; after a kill the last few may be missing."""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    """Answers whose price was unknown; they are not in `usd`."""
    bytes_sent: int = 0
    """Bodies of all tries, as far as the client counts them."""
    bytes_received: int = 0


class ResponseStore:
    """Answers by request key, calls, and texts by hash. Make one with `open`; a file that fails raises `RunError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hits: Counter[str] = Counter()

    @classmethod
    async def open(cls, path: Path | str) -> Self:
        """Open or create the store at `path` (`:memory:`: nothing is kept); one of another format is refused."""
        return cls(await open_sqlite(path, SCHEMA, FORMAT))

    @classmethod
    async def open_to_read(cls, path: Path) -> Self:
        """Open an existing store for reading alone: neither it nor its folder is changed."""
        return cls(await open_sqlite_to_read(path, FORMAT))

    async def close(self) -> None:
        """Finish what waits and close the file; closing twice does nothing."""
        try:
            if self._hits:
                await self._write(lambda db: None)
        finally:
            await self._database.close()

    async def get(self, key: str) -> Response | None:
        """The stored answer to the request with this key."""
        row = await self._database.read(lambda db: db.execute(ANSWER, (key,)).fetchone())
        return None if row is None else response_of(row)

    async def claim(self, key: str) -> Response | None:
        """The stored answer; None: the caller may pay for it, and then must `release` it, whatever becomes of that.

        A file belongs to one process, whose callers share a request under way; so here nobody else needs keeping out.
        """
        return await self.get(key)

    async def release(self, key: str) -> None:
        """Let others claim again what this process has claimed."""

    async def failure(self, key: str) -> Failure | None:
        """How the last failed call for the request with this key failed."""
        row = await self._database.read(lambda db: db.execute(_FAILED, (key,)).fetchone())
        return None if row is None else Failure(*row[0].split(": ", 1))

    def hit(self, role: str) -> None:
        """Count an answer that `role` was served without a call; it is written along with the next write."""
        self._hits[role] += 1

    async def begin(self, key: str, role: str, model: str) -> int:
        """Record a call before it is sent; returns its id, for `finish` or `fail`."""
        row = (key, role, model, time.time())
        return await self._write(lambda db: int(db.execute(_BEGIN, row).fetchone()[0]))

    async def finish(
        self, call_id: int, response: Response, *, usd: float | None = None, attempts: int = 1, traffic: Traffic = NONE
    ) -> None:
        """Keep the answer to a call, with what it cost (None: unknown), how often it was tried, and its bytes."""
        await self._write(partial(_finish, call_id, response, usd, attempts, traffic))

    async def fail(self, call_id: int, failure: Failure, *, attempts: int = 1, traffic: Traffic = NONE) -> None:
        """Record that a call ended without an answer."""
        row = (attempts, traffic.sent, traffic.received, f"{failure.kind}: {failure.detail}", call_id)
        await self._write(lambda db: db.execute(_FAIL, row))

    async def put_text(self, text: str) -> str:
        """Keep a text; returns the SHA-256 (hex) of its UTF-8 bytes."""
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        await self._write(lambda db: db.execute(_PUT_TEXT, (digest, text)))
        return digest

    async def text(self, sha256: str) -> str:
        """The text with this hash; raises `RunError` where there is none."""
        row = await self._database.read(
            lambda db: db.execute("SELECT text FROM texts WHERE sha256 = ?", (sha256,)).fetchone()
        )
        if row is None:
            raise RunError(f"{self._database.name}: holds no text {sha256}; restore the file that belongs to this run")
        return str(row[0])

    async def servers(self) -> dict[tuple[str, str], str]:
        """What is known of how servers treat a schema, by model and address."""
        rows = await self._database.read(lambda db: db.execute("SELECT * FROM servers").fetchall())
        return {(model, address): found for model, address, found in rows}

    async def put_server(self, model: str, address: str, structured_output: str) -> None:
        """Keep how a server treats a schema."""
        await self._write(partial(_put_server, (model, address), structured_output))

    async def usage(self) -> dict[str, RoleCounts]:
        """The counts of each role that has asked for anything."""
        calls, hits = await self._database.read(
            lambda db: (db.execute(_USAGE).fetchall(), db.execute("SELECT * FROM hits").fetchall())
        )
        cached = Counter(dict(hits)) + self._hits
        issued = {role: tuple(count or 0 for count in counts) for role, *counts in calls}
        nothing = (0,) * 9
        return {role: _counts(issued.get(role, nothing), cached[role]) for role in sorted({*issued, *cached})}

    async def adopt(self, file: Path) -> None:
        """Take over the answers of another run's file, but not its calls: they cost this run nothing.

        Raises `StoreError` where it can't be read.
        """
        await self._write(partial(_adopt, file))

    async def issued_twice(self) -> int:
        """How many keys were issued more than once."""
        return await self._database.read(lambda db: int(db.execute(_TWICE).fetchone()[0]))

    async def _write(self, run: Callable[[Connection], T]) -> T:
        hits, self._hits = self._hits, Counter()
        return await self._database.write(partial(_with_hits, hits, run) if hits else run)


def _with_hits(hits: Counter[str], run: Callable[[Connection], T], db: Connection) -> T:
    for role, count in hits.items():
        if not db.execute(_MORE_HITS, (count, role)).rowcount:
            db.execute(_FIRST_HITS, (count, role))
    return run(db)


def _adopt(file: Path, db: Connection) -> None:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as other:
        for table in ("responses", "texts", "servers"):
            rows = other.execute(f"SELECT * FROM {table}")
            places = ", ".join("?" * len(rows.description))
            for row in rows:
                db.execute(f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING", row)


def _put_server(served: tuple[str, str], structured_output: str, db: Connection) -> None:
    db.execute("DELETE FROM servers WHERE model = ? AND address = ?", served)
    db.execute("INSERT INTO servers VALUES (?, ?, ?)", (*served, structured_output))


def _finish(
    call_id: int, response: Response, usd: float | None, attempts: int, traffic: Traffic, db: Connection
) -> None:
    tokens = (response.input_tokens, response.output_tokens)
    said = (response.text, int(response.refused), response.finish_reason)
    db.execute(_KEEP, (*said, *tokens, response.model_version, json.dumps(response.scores), call_id))
    db.execute(_FINISH, (attempts, traffic.sent, traffic.received, *tokens, usd, call_id))


def response_of(row: tuple[Any, ...]) -> Response:
    """What a row of `ANSWER` holds."""
    text, refused, finish_reason, input_tokens, output_tokens, version, kept = row
    scores = tuple((label, score) for label, score in json.loads(kept))
    return Response(text, bool(refused), finish_reason, input_tokens, output_tokens, version, scores)


def _counts(row: tuple[float, ...], cached: int) -> RoleCounts:
    issued, answered, failed, input_tokens, output_tokens, usd, unpriced, sent, received = row
    whole = (int(issued), int(answered), int(failed), cached, int(input_tokens), int(output_tokens))
    return RoleCounts(
        *whole, usd=float(usd), unpriced=int(unpriced), bytes_sent=int(sent), bytes_received=int(received)
    )
