"""One connection to a database, used from one thread, with group commit.

Operations that wait at the same time share a transaction; when an operation's await returns, what it wrote survives a
kill of the process at any moment. Plain blocking drivers in a thread of our own: a group costs one hop between
threads, where a wrapper of single statements costs one for each.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar, cast

from state.errors import RunError

T = TypeVar("T")


class Cursor(Protocol):
    """What a statement returned."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""


class Connection(Protocol):
    """SQLite or PostgreSQL. Statements are written for both, with `?` for parameters."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    @property
    def name(self) -> str:
        """What messages call the database."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """End it durably."""

    def rollback(self) -> None:
        """Undo it."""

    def failure(self, error: Exception) -> RunError:
        """What to say of one of `errors`."""

    def close(self) -> None:
        """Close it."""


@dataclass(frozen=True, slots=True)
class _Operation:
    run: Callable[[Connection], Any]
    writes: bool
    done: asyncio.Future[Any]


class Database:
    """A connection for one event loop; make one with `open`. Failures raise `RunError` naming the database."""

    def __init__(self, connection: Connection, thread: ThreadPoolExecutor) -> None:
        self.name = connection.name
        self._connection = connection
        self._thread = thread
        self._waiting: list[_Operation] = []
        self._committing: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, connect: Callable[[], Connection]) -> Self:
        """Connect, in the thread where the connection is used from then on; raises what `connect` raises."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        try:
            return cls(await asyncio.get_running_loop().run_in_executor(thread, connect), thread)
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Finish what waits and close the file; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._committing is not None:
            await self._committing
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Return what `run` returns; it sees all that was written before, and writes nothing."""
        return await self._do(run, writes=False)

    async def write(self, run: Callable[[Connection], T]) -> T:
        """Return what `run` returns, once it is durable. A cancelled write may still happen."""
        return await self._do(run, writes=True)

    async def _do(self, run: Callable[[Connection], T], *, writes: bool) -> T:
        if self._closed:
            raise RunError(f"{self.name}: is closed already")
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
                except self._connection.errors as error:
                    _reject(group, self._connection.failure(error))
                else:
                    _resolve(group, results)
        finally:
            self._committing = None


def _transaction(connection: Connection, group: Sequence[_Operation]) -> list[Any]:
    connection.begin(writes=any(operation.writes for operation in group))
    try:
        results = [operation.run(connection) for operation in group]
        connection.commit()
    except BaseException:
        if connection.in_transaction:  # a full disk or a lost connection may have ended it already
            connection.rollback()
        raise
    return results


def _resolve(group: Sequence[_Operation], results: Sequence[Any]) -> None:
    for operation, result in zip(group, results, strict=True):
        if not operation.done.done():  # else its caller was cancelled
            operation.done.set_result(result)


def _reject(group: Sequence[_Operation], failure: RunError) -> None:
    for operation in group:
        if not operation.done.done():
            operation.done.set_exception(type(failure)(str(failure)))  # one each: a traceback grows as it is raised
