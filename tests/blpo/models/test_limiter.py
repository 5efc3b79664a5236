"""Limits of a served model: calls at once, units a minute, and the time for all attempts."""

import asyncio
import itertools
import math
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.models.limiter import Limiter, Limiters, Pace, Window
from blpo.models.retries import Backoff
from blpo.storage.response_store import ResponseStore
from state.response import Failure, Response
from state.settings import ModelSettings
from tests.blpo.models.callers import caller, echo, question, served, served_by
from tests.servers.chat_server import ChatServer, Fault


async def hold(window: Window, seconds: float, inside: list[int]) -> None:
    async with window:
        inside[0] += 1
        inside[1] = max(inside)
        await asyncio.sleep(seconds)
        inside[0] -= 1


async def test_a_window_is_halved_once_for_all_tries_under_way_and_widens_by_one_a_windowful() -> None:
    window = Window(16)
    start = time.monotonic()
    for _ in range(10):
        window.cut(start)
    assert window.size == 8
    for _ in range(8):
        window.widen()
    assert 8.9 < window.size <= 9
    for _ in range(1000):
        window.widen()
    assert window.size == 16
    for _ in range(10):
        window.cut(time.monotonic())
    assert window.size == 1


@given(st.lists(st.sampled_from(["enter", "leave", "cancel", "cut", "widen"]), max_size=60))
def test_nobody_waits_while_there_is_room_and_nobody_is_let_in_beyond_it(steps: list[str]) -> None:
    async def play() -> None:
        window, let_go, tasks = Window(4), asyncio.Event(), list[asyncio.Task[None]]()
        leaving: list[asyncio.Event] = []

        async def stay(leave: asyncio.Event) -> None:
            async with window:
                leaving.append(leave)
                while not (leave.is_set() or let_go.is_set()):
                    await asyncio.sleep(0)

        for step in steps:
            if step == "enter":
                tasks.append(asyncio.create_task(stay(asyncio.Event())))
            elif step == "leave" and leaving:
                leaving.pop().set()
            elif step == "cancel" and tasks:
                tasks.pop().cancel()
            elif step == "cut":
                window.cut(time.monotonic())
            else:
                window.widen()
            for _ in range(4):
                await asyncio.sleep(0)
        let_go.set()
        done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert len(done) == len(tasks)
        async with asyncio.timeout(1), window:  # no room was lost
            pass

    asyncio.run(play())


async def test_a_cut_window_lets_fewer_in_and_later_all_again() -> None:
    window, inside = Window(8), [0, 0]
    window.cut(time.monotonic())
    window.cut(time.monotonic())
    await asyncio.gather(*(hold(window, 0.005, inside) for _ in range(20)))
    assert inside[1] == 2
    for _ in range(200):
        window.widen()
    await asyncio.gather(*(hold(window, 0.005, inside) for _ in range(20)))
    assert inside[1] == 8


async def test_a_pace_is_even_and_keeps_order() -> None:
    pace, turns = Pace(3000), list[tuple[int, float]]()  # a unit in 20 ms
    start = time.monotonic()

    async def go(number: int) -> None:
        await pace.take()
        turns.append((number, time.monotonic() - start))

    await asyncio.gather(*(go(number) for number in range(10)))
    assert [number for number, _ in turns] == list(range(10))
    assert all(when >= 0.02 * number - 0.001 for number, when in turns)
    start = time.monotonic()
    unlimited = Pace(None)
    await asyncio.gather(*(unlimited.take(10_000) for _ in range(1000)))
    assert time.monotonic() - start < 1


async def test_what_was_not_used_is_given_back() -> None:
    pace = Pace(3000)  # a unit in 20 ms
    start = time.monotonic()
    await pace.take(100)
    pace.give_back(98)
    await pace.take()
    assert 0.04 <= time.monotonic() - start < 1.9


async def test_requests_a_minute_over_the_roles_of_one_model() -> None:
    async with ChatServer(echo) as server:
        judge = served(server, requests_per_minute=1200)  # a request in 50 ms
        async with caller(served_by(judge)) as (calls, _):
            start = time.monotonic()
            await asyncio.gather(*(calls.ask("judge", question(str(i))) for i in range(6)))
            await asyncio.gather(*(calls.ask("optimizer", question(f"o{i}")) for i in range(5)))
            assert time.monotonic() - start >= 0.5
    assert server.count == 11


async def test_tokens_a_minute_follow_what_answers_cost() -> None:
    async with (
        ChatServer(echo) as server,
        caller(served_by(served(server, tokens_per_minute=60_000))) as (calls, _),  # 1,000 a second
    ):
        start = time.monotonic()
        outcomes = [await calls.ask("judge", question(f"{i:03}" + "x" * 200)) for i in range(8)]
        seconds = time.monotonic() - start
    used = sum(o.input_tokens + o.output_tokens for o in outcomes[:-1] if isinstance(o, Response))
    assert seconds >= 0.95 * used / 1000
    assert server.count == 8


async def test_a_rate_window_is_lived_with() -> None:
    async with (
        ChatServer(echo, rate=(10, 0.4)) as server,
        caller(served_by(served(server, max_retries=10))) as (calls, _),
    ):
        outcomes = await asyncio.gather(*(calls.ask("judge", question(str(i))) for i in range(40)))
    assert all(isinstance(outcome, Response) for outcome in outcomes)
    assert server.count < 40 + 60  # the server got fewer requests, not more and more


async def test_a_server_that_is_too_busy_is_asked_less_at_once_and_then_more_again() -> None:
    async with (
        ChatServer(echo, latency=0.02) as server,
        caller(served_by(served(server, max_concurrency=16))) as (calls, _),
    ):
        window = calls.limiter_of("judge").window
        server.faults = itertools.chain([Fault(status=503)] * 16, itertools.repeat(Fault()))
        await asyncio.gather(*(calls.ask("judge", question(str(i))) for i in range(16)))
        assert 8 <= window.size < 11
        await asyncio.gather(*(calls.ask("judge", question(f"again {i}")) for i in range(150)))
        assert window.size > 14


@pytest.mark.parametrize("wait", ["soon", "", "Wed, 21 Oct 99999 07:28:00 GMT", "Wed, 99 Foo 2027", "-3", "nan"])
async def test_a_retry_after_that_says_nothing_is_tried_again_soon(wait: str) -> None:
    faults = iter([Fault(status=503, retry_after=wait)])
    async with ChatServer(echo, faults) as server, caller(served_by(served(server))) as (calls, _):
        assert isinstance(await calls.ask("judge", question("a")), Response)
    assert server.count == 2


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_holds_for_all_calls_of_the_model(form: str) -> None:
    async with ChatServer(echo) as server, caller(served_by(served(server))) as (calls, _):
        until = math.ceil(time.time() + 1)
        wait = "1" if form == "seconds" else formatdate(until, usegmt=True)
        server.faults = iter([Fault(status=429, retry_after=wait)])
        start = time.monotonic()
        first = asyncio.create_task(calls.ask("judge", question("a")))
        window = calls.limiter_of("judge").window
        while window.size == window.most:  # until the 429 is known
            await asyncio.sleep(0.001)
        assert isinstance(await calls.ask("judge", question("b")), Response)
        assert time.monotonic() - start >= 1 if form == "seconds" else time.time() >= until
        assert isinstance(await first, Response)


async def test_the_deadline_ends_retries_and_cuts_the_last_try() -> None:
    async with ChatServer(echo, itertools.repeat(Fault(status=500))) as server:
        async with caller(served_by(served(server, deadline=1, max_retries=1000))) as (calls, _):
            start = time.monotonic()
            failure = await calls.ask("judge", question("a"))
            assert time.monotonic() - start < 3
        assert isinstance(failure, Failure)
        assert failure.kind == "server"
        server.faults = itertools.chain([Fault(status=500)], itertools.repeat(Fault(delay=5)))
        async with caller(served_by(served(server, deadline=1, max_retries=1000))) as (calls, _):
            failure = await calls.ask("judge", question("a"))
        assert isinstance(failure, Failure)
        assert failure.kind == "server"  # the attempt cut short tells less
        server.faults = itertools.repeat(Fault(delay=5))
        async with caller(served_by(served(server, deadline=0.3, max_retries=1000))) as (calls, _):
            start = time.monotonic()
            failure = await calls.ask("judge", question("a"))
            assert time.monotonic() - start < 4
    assert isinstance(failure, Failure)
    assert failure.kind == "timeout"


def test_backoff_grows_is_jittered_and_bounded() -> None:
    backoff = Backoff(first=0.5, longest=30)
    for retry in range(20):
        waits = {backoff.seconds(retry, None) for _ in range(50)}
        most = min(30, 0.5 * 2**retry)
        assert len(waits) > 1
        assert all(most / 2 <= wait <= most for wait in waits)
        assert backoff.seconds(retry, 7.0) >= 7.0


def test_the_strictest_settings_of_a_model_hold() -> None:
    first = ModelSettings(name="vllm:m", base_url="http://h", max_concurrency=9)
    second = first.model_copy(update={"max_concurrency": 3, "base_url": "http://h/"})  # the same address
    limiter = Limiters([first, second]).of(first)
    assert (limiter.window.most, isinstance(limiter, Limiter)) == (3, True)


@pytest.mark.parametrize("client", ["lean", "langchain"])
async def test_bytes_are_counted_over_all_tries(client: str, tmp_path: Path) -> None:
    async with ChatServer(echo, iter([Fault(status=500), Fault()])) as server:
        changes: dict[str, Any] = {"client": client}
        async with caller(served_by(served(server, **changes)), tmp_path / "r.sqlite") as (calls, store):
            assert isinstance(await calls.ask("judge", question("a" * 5000)), Response)
            counts = (await store.usage())["judge"]
        assert (counts.bytes_sent, counts.bytes_received) == (server.bytes_received, server.bytes_sent)
        assert counts.bytes_sent > 10_000
    reopened = await ResponseStore.open(tmp_path / "r.sqlite")
    assert (await reopened.usage())["judge"].bytes_sent == counts.bytes_sent
    await reopened.close()
