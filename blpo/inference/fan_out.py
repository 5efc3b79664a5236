"""Many calls at once, and few things in memory: at most `width` items are worked on at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar, cast

from blpo.inference.progress import uncounted

T = TypeVar("T")
R = TypeVar("R")


async def fan_out(
    work: Callable[[T], Awaitable[R]], items: Sequence[T], width: int, count: Callable[[], None] = uncounted
) -> list[R]:
    """The results of `work` for each item, in order; `count` is called whenever one is finished.

    After the first exception nothing more is started; what is under way, perhaps paid for, ends before it is raised.
    """
    results: list[R | None] = [None] * len(items)
    remaining: Iterator[tuple[int, T]] = iter(enumerate(items))
    failed = False

    async def worker() -> None:
        nonlocal failed
        for position, item in remaining:
            if failed:
                return
            try:
                results[position] = await work(item)
                count()
            except BaseException:
                failed = True
                raise

    outcomes = await asyncio.gather(*(worker() for _ in range(min(width, len(items)))), return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome
    return cast("list[R]", results)
