"""A stream of work: items are read as they are needed, worked on many at a time, and come out in order.

Memory is bounded whatever the number of items, and the event loop never waits for whoever makes them: a slow disk, or a
pipe that says nothing for an hour.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 8
"""Items begun and not yet given out, for each that is worked on: so long may one hold up those after it."""


async def in_order(work: Callable[[T], Awaitable[R]], items: Iterable[T], width: int) -> AsyncGenerator[R]:
    """The results of `work` for each item, in order, each as soon as its turn has come; `width` at a time.

    What `work` or the iteration raises is raised in its turn; whatever is under way then is cancelled.
    """
    window, places = asyncio.Semaphore(_AHEAD * width), asyncio.Semaphore(width)
    begun: asyncio.Queue[asyncio.Task[R] | None] = asyncio.Queue()
    unfinished: set[asyncio.Task[R]] = set()

    async def placed(item: T) -> R:
        async with places:
            return await work(item)

    async def begin_all() -> None:
        try:
            async with aclosing(read_in_thread(items)) as reading:
                async for item in reading:
                    await window.acquire()
                    task = asyncio.create_task(placed(item))
                    unfinished.add(task)
                    task.add_done_callback(unfinished.discard)
                    begun.put_nowait(task)
        finally:
            begun.put_nowait(None)

    beginning = asyncio.create_task(begin_all())
    try:
        while (task := await begun.get()) is not None:
            yield await task
            window.release()
        await beginning
    finally:
        ending = [beginning, *unfinished]
        for each in ending:
            each.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def read_in_thread(items: Iterable[T]) -> AsyncGenerator[T]:
    """The items, each read when it is asked for in a thread of its own, which no process waits for when it ends."""
    loop = asyncio.get_running_loop()
    asked: SimpleQueue[asyncio.Future[list[T]] | None] = SimpleQueue()
    Thread(target=_read, args=(items, asked, loop), name="inputs", daemon=True).start()
    try:
        while True:
            future: asyncio.Future[list[T]] = loop.create_future()
            asked.put(future)
            found = await future
            if not found:
                return
            yield found[0]
    finally:
        asked.put(None)


def _read(
    items: Iterable[T], asked: "SimpleQueue[asyncio.Future[list[T]] | None]", loop: asyncio.AbstractEventLoop
) -> None:
    remaining = iter(items)
    while (future := asked.get()) is not None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            try:
                found = list(islice(remaining, 1))
            except Exception as error:
                loop.call_soon_threadsafe(_settle, future, None, error)
            else:
                loop.call_soon_threadsafe(_settle, future, found, None)


def _settle(future: "asyncio.Future[list[T]]", found: list[T] | None, error: Exception | None) -> None:
    if future.done():  # its waiter was cancelled
        return
    if error is not None:
        future.set_exception(error)
    elif found is not None:
        future.set_result(found)
