"""Response store: the memory of a run. Every model call goes through the store, so that no answer is paid for twice.

The store is content-addressed: a request's key finds the answer. The store records a call before the request is sent,
so that calls and costs are counted exactly, also across kills. No value is pickled.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from blpo.storage import store_operations as operations
from blpo.storage import store_statements as sql
from blpo.storage.database import Connection, Database
from blpo.storage.role_counts import RoleCounts, counts_by_role
from blpo.storage.sqlite_connection import open_sqlite, open_sqlite_to_read
from state.errors import RunError
from state.response import Failure, Response, Traffic

_T = TypeVar("_T")
_NO_TRAFFIC = Traffic()


class ResponseStore:
    """Answers by request key, calls, and texts by hash. Make a store with `open`. A broken file raises `RunError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hits: Counter[str] = Counter()

    @classmethod
    async def open(cls, path: Path | str) -> Self:
        """Open or create the store at `path`; `:memory:` is a store without a file.

        Raises `RunError` if the file has another format or can't be opened.
        """
        return cls(await open_sqlite(path, sql.TABLES, sql.STORE_FORMAT, sql.LATER_COLUMNS))

    @classmethod
    async def open_to_read(cls, path: Path) -> Self:
        """Open an existing store to read. The file and its folder stay unchanged."""
        return cls(await open_sqlite_to_read(path, sql.STORE_FORMAT, sql.LATER_COLUMNS))

    async def close(self) -> None:
        """Finish waiting operations and close the file. Closing twice does nothing."""
        try:
            if self._hits:
                await self._write(lambda db: None)
        finally:
            await self._database.close()

    async def get(self, key: str) -> Response | None:
        """Return the answer to the request with this key, or None."""
        row = await self._database.read(lambda db: db.execute(sql.ANSWER, (key,)).fetchone())
        return None if row is None else operations.response_of(row)

    async def claim(self, key: str) -> Response | None:
        """Return the answer, or None: the caller may pay for the answer, and must `release` the key in any case.

        A file belongs to one process, and callers in a process share a request in flight, so a file needs no lock.
        """
        return await self.get(key)

    async def release(self, key: str) -> None:
        """Let other processes claim a key again."""

    async def failure(self, key: str) -> Failure | None:
        """Return the last failure of the request with this key, or None."""
        row = await self._database.read(lambda db: db.execute(sql.LAST_FAILURE, (key,)).fetchone())
        return None if row is None else Failure(*row[0].split(": ", 1))

    async def unanswered(self) -> list[tuple[str, float]]:
        """Return the failed calls of requests without a later answer: the request's key and the Unix time, in no order.

        An answer to a call of another run does not count: the run may have gone on without that answer.
        """
        return await self._database.read(lambda db: db.execute(sql.UNANSWERED).fetchall())

    async def replies_by_role(self, is_counted: Callable[[str], bool]) -> dict[str, int]:
        """Count the paid answers of every role whose finish reason counts; no entry for a role without any."""
        rows = await self._database.read(lambda db: db.execute(sql.FINISHED).fetchall())
        counts: Counter[str] = Counter()
        for role, finish_reason, count in rows:
            if is_counted(finish_reason):
                counts[role] += count
        return dict(counts)

    def hit(self, role: str) -> None:
        """Count an answer served to `role` without a call. The next write writes the count."""
        self._hits[role] += 1

    async def begin(self, key: str, role: str, model: str) -> int:
        """Record a call before the request is sent, and return the call's id for `finish` or `fail`."""
        row = (key, role, model, time.time())
        return await self._write(lambda db: int(db.execute(sql.BEGIN_CALL, row).fetchone()[0]))

    async def finish(
        self,
        call_id: int,
        response: Response,
        *,
        usd: float | None = None,
        attempts: int = 1,
        traffic: Traffic = _NO_TRAFFIC,
    ) -> None:
        """Keep the answer to a call, with the cost (None: unknown), the number of attempts and the bytes."""
        await self._write(partial(operations.finish, call_id, response, usd, attempts, traffic))

    async def fail(self, call_id: int, failure: Failure, *, attempts: int = 1, traffic: Traffic = _NO_TRAFFIC) -> None:
        """Record the end of a call without an answer."""
        row = (attempts, traffic.bytes_sent, traffic.bytes_received, f"{failure.kind}: {failure.detail}", call_id)
        await self._write(lambda db: db.execute(sql.FAIL_CALL, row))

    async def put_text(self, text: str) -> str:
        """Keep a text, and return the SHA-256 (hex) of the text's UTF-8 bytes."""
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        await self._write(lambda db: db.execute(sql.PUT_TEXT, (digest, text)))
        return digest

    async def text(self, sha256: str) -> str:
        """Return the text with this hash; raises `RunError` if the store does not hold the text."""
        row = await self._database.read(lambda db: db.execute(sql.TEXT, (sha256,)).fetchone())
        if row is None:
            raise RunError(f"{self._database.name}: holds no text {sha256}; restore the file that belongs to this run")
        return str(row[0])

    async def put_note(self, name: str, text: str) -> None:
        """Keep a text under a name; the first text of a name stays. No name is the SHA-256 of a text."""
        await self._write(lambda db: db.execute(sql.PUT_TEXT, (name, text)))

    async def note(self, name: str) -> str | None:
        """Return the text under a name, or None."""
        row = await self._database.read(lambda db: db.execute(sql.TEXT, (name,)).fetchone())
        return None if row is None else str(row[0])

    async def servers(self) -> dict[tuple[str, str], str]:
        """Return the servers' support of structured output, by model and address."""
        rows = await self._database.read(lambda db: db.execute(sql.SERVERS).fetchall())
        return {(model, address): support for model, address, support in rows}

    async def put_server(self, model: str, address: str, structured_output: str) -> None:
        """Keep a server's support of structured output."""
        await self._write(partial(operations.put_server, (model, address), structured_output))

    async def usage(self) -> dict[str, RoleCounts]:
        """Return the counts of every role with a request."""
        calls, hits = await self._database.read(
            lambda db: (db.execute(sql.USAGE).fetchall(), db.execute(sql.HITS).fetchall())
        )
        return counts_by_role(calls, Counter(dict(hits)) + self._hits)

    async def adopt(self, file: Path) -> None:
        """Copy the answers of another run's file, without the calls, because the calls cost this run nothing.

        Raises `StoreError` if the file can't be read.
        """
        await self._write(partial(operations.adopt, file))

    async def issued_twice(self) -> int:
        """Return the number of keys with more than one call."""
        return await self._database.read(lambda db: int(db.execute(sql.ISSUED_TWICE).fetchone()[0]))

    async def _write(self, run: Callable[[Connection], _T]) -> _T:
        hits, self._hits = self._hits, Counter()
        return await self._database.write(partial(operations.with_hits, hits, run) if hits else run)
