"""Concurrent calls with bounded memory: at most `width` items are worked on at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar, cast

from blpo.inference.progress import uncounted
from state.errors import TooManyFailures

_T = TypeVar("_T")
_R = TypeVar("_R")


def _nothing(item: object) -> None:
    """Return None: no result is at hand."""


async def fan_out(
    work: Callable[[_T], Awaitable[_R]],
    items: Sequence[_T],
    width: int,
    count: Callable[[], None] = uncounted,
    at_hand: Callable[[_T], _R | None] = _nothing,
) -> list[_R]:
    """Return the results of `work` for all items, in order; call `count` whenever an item is finished.

    `at_hand` returns a result that needs no work, or None.

    After the first exception no further item is started. Items under way may be paid for, so all items under way end
    before the exception is raised.
    """
    results = [at_hand(item) for item in items]
    open_items = [(position, item) for position, item in enumerate(items) if results[position] is None]
    for _ in range(len(items) - len(open_items)):
        count()
    remaining: Iterator[tuple[int, _T]] = iter(open_items)
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

    outcomes = await asyncio.gather(*(worker() for _ in range(min(width, len(open_items)))), return_exceptions=True)
    errors = [outcome for outcome in outcomes if outcome is not None]
    if errors:  # an error of the model tells more than the number of failures
        raise next((error for error in errors if not isinstance(error, TooManyFailures)), errors[0])
    return cast("list[_R]", results)
