"""Concurrent work over a stream of items, with results in the order of the items.

Memory is bounded whatever the number of items. A thread reads the items, so the event loop never waits for a slow disk
or a silent pipe.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

_AHEAD = 8
"""Maximum results buffered ahead of the consumer, as a multiple of `width`: one slow item blocks no more."""


async def in_order(work: Callable[[_T], Awaitable[_R]], items: Iterable[_T], width: int) -> AsyncGenerator[_R]:
    """Yield the results of `work` in the order of `items`, `width` items at a time.

    An exception of `work` or of the iteration is raised in its turn and cancels all unfinished work.
    """
    window, places = asyncio.Semaphore(_AHEAD * width), asyncio.Semaphore(width)
    tasks: asyncio.Queue[asyncio.Task[_R] | None] = asyncio.Queue()
    unfinished: set[asyncio.Task[_R]] = set()

    async def placed(item: _T) -> _R:
        async with places:
            return await work(item)

    async def start_all() -> None:
        try:
            async with aclosing(read_in_thread(items)) as stream:
                async for item in stream:
                    await window.acquire()
                    task = asyncio.create_task(placed(item))
                    unfinished.add(task)
                    task.add_done_callback(unfinished.discard)
                    task.add_done_callback(_retrieve)
                    tasks.put_nowait(task)
        finally:
            tasks.put_nowait(None)

    starter = asyncio.create_task(start_all())
    try:
        while (task := await tasks.get()) is not None:
            yield await task
            window.release()
        await starter
    finally:
        remaining = [starter, *unfinished]
        for job in remaining:
            job.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)


def _retrieve(task: "asyncio.Task[_R]") -> None:
    """Look at the exception of a task that nobody may wait for, so that asyncio prints no traceback."""
    if not task.cancelled():
        task.exception()


async def read_in_thread(items: Iterable[_T]) -> AsyncGenerator[_T]:
    """Yield the items; a daemon thread reads items on request, so that no process waits for the thread at exit."""
    loop = asyncio.get_running_loop()
    requests: SimpleQueue[asyncio.Future[list[_T]] | None] = SimpleQueue()
    Thread(target=_read, args=(items, requests, loop), name="inputs", daemon=True).start()
    try:
        while True:
            future: asyncio.Future[list[_T]] = loop.create_future()
            requests.put(future)
            batch = await future
            if not batch:
                return
            yield batch[0]
    finally:
        requests.put(None)


def _read(
    items: Iterable[_T], requests: "SimpleQueue[asyncio.Future[list[_T]] | None]", loop: asyncio.AbstractEventLoop
) -> None:
    remaining = iter(items)
    while (future := requests.get()) is not None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            try:
                batch = list(islice(remaining, 1))
            except Exception as error:
                loop.call_soon_threadsafe(_settle, future, None, error)
            else:
                loop.call_soon_threadsafe(_settle, future, batch, None)


def _settle(future: "asyncio.Future[list[_T]]", batch: list[_T] | None, error: Exception | None) -> None:
    if future.done():  # the waiting task was cancelled
        return
    if error is not None:
        future.set_exception(error)
    elif batch is not None:
        future.set_result(batch)
