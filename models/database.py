"""One SQLite file, used from one thread, with group commit.

Operations that wait at the same time share a transaction; when an operation's await returns, what it wrote survives a
kill of the process at any moment. Other processes may read at the same time (WAL). Plain `sqlite3` in a thread of our
own: a group costs one hop between threads, where a wrapper of single statements costs one for each.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from state.errors import RunError, StoreError

T = TypeVar("T")

_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Operation:
    run: Callable[[sqlite3.Connection], Any]
    writes: bool
    done: asyncio.Future[Any]


class Database:
    """A connection for one event loop; make one with `open`. Failures of the file raise `StoreError` naming it."""

    def __init__(self, path: Path | str, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self.path = path
        self._connection = connection
        self._thread = thread
        self._waiting: list[_Operation] = []
        self._committing: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path | str, schema: str, version: int) -> Self:
        """Open the file at `path` (`:memory:`: none), creating it with `schema`; one of another version is refused."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        connecting = asyncio.get_running_loop().run_in_executor(thread, _connect, path, schema, version)
        try:
            connection = await connecting
        except BaseException as error:
            thread.shutdown(wait=False)
            if isinstance(error, sqlite3.Error | OSError):
                raise RunError(
                    f"{path}: can't be opened ({error}); make the folder writable or restore the file"
                ) from error
            raise
        return cls(path, connection, thread)

    async def close(self) -> None:
        """Finish what waits and close the file; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._committing is not None:
            await self._committing
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `run` returns; it sees all that was written before, and writes nothing."""
        return await self._do(run, writes=False)

    async def write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `run` returns, once it is durable. A cancelled write may still happen."""
        return await self._do(run, writes=True)

    async def _do(self, run: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        if self._closed:
            raise RunError(f"{self.path}: is closed already")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Operation(run, writes, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        return cast(T, await done)

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                try:
                    results = await loop.run_in_executor(self._thread, _transaction, self._connection, group)
                except (sqlite3.Error, ValueError) as error:
                    _reject(
                        group,
                        f"{self.path}: can't be used ({error}); free disk space or fix its permissions, then resume",
                    )
                else:
                    _resolve(group, results)
        finally:
            self._committing = None


def _transaction(connection: sqlite3.Connection, group: Sequence[_Operation]) -> list[Any]:
    # Immediate, because a read that turns into a write can't wait for another writer.
    connection.execute("BEGIN IMMEDIATE" if any(operation.writes for operation in group) else "BEGIN")
    try:
        results = [operation.run(connection) for operation in group]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise
    return results


def _resolve(group: Sequence[_Operation], results: Sequence[Any]) -> None:
    for operation, result in zip(group, results, strict=True):
        if not operation.done.done():  # else its caller was cancelled
            operation.done.set_result(result)


def _reject(group: Sequence[_Operation], message: str) -> None:
    for operation in group:
        if not operation.done.done():
            operation.done.set_exception(StoreError(message))


def _connect(path: Path | str, schema: str, version: int) -> sqlite3.Connection:
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path, schema, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path | str, schema: str, version: int) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if found != version and not empty:
        raise RunError(f"{path}: has format {found}, this version of blpo reads format {version}; start a new run")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if empty:
        connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {version}; COMMIT;")
