"""Concurrent calls with bounded memory: at most `width` items are worked on at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar, cast

from blpo.inference.progress import uncounted
from state.errors import TooManyFailures

_T = TypeVar("_T")
_R = TypeVar("_R")


async def fan_out(
    work: Callable[[_T], Awaitable[_R]], items: Sequence[_T], width: int, count: Callable[[], None] = uncounted
) -> list[_R]:
    """Return the results of `work` for all items, in order; call `count` whenever an item is finished.

    After the first exception no further item is started. Items under way may be paid for, so all items under way end
    before the exception is raised.
    """
    results: list[_R | None] = [None] * len(items)
    remaining: Iterator[tuple[int, _T]] = iter(enumerate(items))
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
    errors = [outcome for outcome in outcomes if outcome is not None]
    if errors:  # an error of the model tells more than the number of failures
        raise next((error for error in errors if not isinstance(error, TooManyFailures)), errors[0])
    return cast("list[_R]", results)
