"""Database connection for an event loop, with group commit.

Operations that wait at the same time share a transaction. A finished write survives a kill of the process. A blocking
driver runs in a thread of its own: a group costs one hop between threads, while an async driver pays a hop for every
statement.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar, cast

from state.errors import BlpoError, RunError, StoreError

_T = TypeVar("_T")

_TURNS = 8
"""Turns of the event loop before a group begins: operations that start meanwhile join the group, at no delay."""


class Cursor(Protocol):
    """Result of a statement."""

    @property
    def rowcount(self) -> int:
        """Number of changed rows."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""


class Connection(Protocol):
    """SQLite or PostgreSQL. A statement has `?` for parameters and runs on either database."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Exceptions of the driver."""

    @property
    def name(self) -> str:
        """Name of the database in messages."""

    @property
    def in_transaction(self) -> bool:
        """True if a transaction is open."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run a statement."""

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """Commit the transaction durably."""

    def rollback(self) -> None:
        """Undo the transaction."""

    def failure(self, error: Exception) -> RunError:
        """Return the error for the user in place of an exception of the driver."""

    def close(self) -> None:
        """Close the connection."""


@dataclass(frozen=True, slots=True)
class _Operation:
    run: Callable[[Connection], Any]
    writes: bool
    done: asyncio.Future[Any]


class Database:
    """A connection for one event loop. Make a database with `open`. A failure raises `RunError` with the name."""

    def __init__(self, connection: Connection, thread: ThreadPoolExecutor) -> None:
        self.name = connection.name
        self._connection = connection
        self._thread = thread
        self._waiting: list[_Operation] = []
        self._committing: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, connect: Callable[[], Connection]) -> Self:
        """Connect in the thread that uses the connection from then on; raises the exceptions of `connect`."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        try:
            return cls(await asyncio.get_running_loop().run_in_executor(thread, connect), thread)
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Finish waiting operations and close the connection. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._committing is not None:
            await self._committing
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def read(self, run: Callable[[Connection], _T]) -> _T:
        """Return the result of `run`, which sees all earlier writes and writes nothing."""
        return await self._do(run, writes=False)

    async def write(self, run: Callable[[Connection], _T]) -> _T:
        """Return the result of `run` after a durable commit. A cancelled write may still happen."""
        return await self._do(run, writes=True)

    async def _do(self, run: Callable[[Connection], _T], *, writes: bool) -> _T:
        if self._closed:
            raise RunError(f"{self.name}: is closed already")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Operation(run, writes, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        return cast(_T, await done)

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group: list[_Operation] = []
                try:
                    for _ in range(_TURNS):
                        await asyncio.sleep(0)
                    group, self._waiting = self._waiting, []
                    results = await loop.run_in_executor(self._thread, _transaction, self._connection, group)
                except Exception as error:  # also a fault of our own: an unanswered caller would wait for ever
                    _reject(group, self._failure(error))
                except BaseException:
                    for operation in group + self._waiting:
                        operation.done.cancel()
                    raise
                else:
                    _resolve(group, results)
        finally:
            self._committing = None

    def _failure(self, error: Exception) -> BlpoError:
        if isinstance(error, BlpoError):
            return error
        if isinstance(error, self._connection.errors):
            return self._connection.failure(error)
        reason = " ".join(str(error).split())[:200]
        return StoreError(f"{self.name}: can't be used ({type(error).__name__}: {reason}); resume the run")


def _transaction(connection: Connection, group: Sequence[_Operation]) -> list[Any]:
    connection.begin(writes=any(operation.writes for operation in group))
    try:
        results = [operation.run(connection) for operation in group]
        connection.commit()
    except BaseException:
        if connection.in_transaction:  # a full disk or a lost connection ends the transaction too
            connection.rollback()
        raise
    return results


def _resolve(group: Sequence[_Operation], results: Sequence[Any]) -> None:
    for operation, result in zip(group, results, strict=True):
        if not operation.done.done():  # a cancelled caller has a finished future
            operation.done.set_result(result)


def _reject(group: Sequence[_Operation], failure: BlpoError) -> None:
    for operation in group:
        if not operation.done.done():
            # An exception of its own for every caller, because a traceback grows when an exception is raised again.
            operation.done.set_exception(type(failure)(str(failure)))
