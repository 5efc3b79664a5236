"""Concurrent work in order: bounded, and cancelled with its reader."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.deployment.in_order import in_order


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 4))
def test_all_come_in_order_and_no_more_than_width_at_once(turns: list[int], width: int) -> None:
    at_work, most = 0, 0

    async def work(item: tuple[int, int]) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        for _ in range(item[1]):
            await asyncio.sleep(0)
        at_work -= 1
        return item[0]

    async def all_of_them() -> list[int]:
        return [result async for result in in_order(work, enumerate(turns), width)]

    assert asyncio.run(all_of_them()) == list(range(len(turns)))
    assert most <= width


async def test_items_are_read_as_they_are_needed() -> None:
    count = 0

    def endless() -> Iterator[int]:
        nonlocal count
        while True:
            count += 1
            yield count

    async def work(item: int) -> int:
        await asyncio.sleep(0)
        return item

    async with aclosing(in_order(work, endless(), 2)) as stream:
        async for result in stream:
            if result == 100:
                break
            assert count <= result + 2 * 8 + 3
    await asyncio.sleep(0.05)
    assert all(thread.name != "inputs" or not thread.is_alive() for thread in threading.enumerate())


async def test_a_result_does_not_wait_for_an_item_that_is_not_there_yet() -> None:
    more = threading.Event()

    def slowly() -> Iterator[int]:
        yield 1
        more.wait(30)
        yield 2

    async def work(item: int) -> int:
        return item

    results = []
    async for result in in_order(work, slowly(), 4):
        results.append(result)
        more.set()
    assert results == [1, 2]


@pytest.mark.parametrize("where", ["reading", "work"])
async def test_an_error_comes_in_its_turn_and_ends_the_rest(where: str) -> None:
    started, cancelled = [], []

    def items() -> Iterator[int]:
        yield from range(5)
        if where == "reading":
            raise ValueError("at 5")
        yield from range(5, 100)

    async def work(item: int) -> int:
        started.append(item)
        if item == 5:
            raise ValueError("at 5")
        try:
            await asyncio.sleep(0 if item < 5 else 60)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    results = []
    with pytest.raises(ValueError, match="at 5"):
        async for result in in_order(work, items(), 3):
            results.append(result)
    assert results == [0, 1, 2, 3, 4]
    assert cancelled == [item for item in started if item > 5]


async def test_exceptions_that_nobody_waits_for_print_no_traceback() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context["message"]))

    async def work(item: int) -> int:
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        async with aclosing(in_order(work, range(60), 16)) as stream:
            async for _ in stream:
                pass
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []
