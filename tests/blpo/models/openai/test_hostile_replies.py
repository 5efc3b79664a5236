"""Hostile and mutated replies: no reply hangs a call, ends in a traceback, or leaves a text that no file can hold.

BLPO_MUTATIONS is the number of mutated replies for the lean client; the other client gets a fifth. The usual number
keeps the tests short; `BLPO_MUTATIONS=5000 pytest tests/blpo/models/openai/test_hostile_replies.py` is the long form.
"""

import asyncio
import gzip
import json
import os
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import astuple
from typing import Any

import pytest

from blpo.models.calls import ModelCaller
from blpo.models.messages import user
from blpo.models.retries import Backoff
from blpo.models.verdict_reading import parse_verdict
from blpo.storage.response_store import ResponseStore
from state.errors import ModelError
from state.response import Failure, Response
from state.settings import LimitSettings, ModelsSettings, TaskSettings
from tests.blpo.models.openai.exchange import SCHEMA, model, result
from tests.servers.chat_server import ChatServer
from tests.servers.hostile_replies import ENDLESS, LARGE, ODD, VERDICT, Raw, completion, hostile_server, plain, whole
from tests.servers.mutations import compressed, mutated

CLIENTS = ("lean", "langchain")
TIMEOUT = 1.0
TRIES = 2
SHORT_TIMEOUT = 0.4
"""For replies that never end."""
MUTATIONS = int(os.environ.get("BLPO_MUTATIONS", "500"))


async def _outcomes(client: str, replies: list[Raw], **changes: Any) -> list[Response | Failure | ModelError]:
    """Return the outcome of a call for every reply; raises whatever is no outcome of a model."""
    async with hostile_server(replies) as server:
        limits = {"timeout": TIMEOUT, "max_retries": TRIES - 1, **changes}
        settings = model(server, client=client, max_concurrency=8, **limits)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(
            ModelsSettings(judge=settings, optimizer=settings), LimitSettings(), store, Backoff(first=0.001)
        )
        outcomes: list[Response | Failure | ModelError] = []
        try:
            for number in range(len(replies)):
                try:
                    outcomes.append(await calls.ask("judge", [user(f"question {number}")], schema=SCHEMA))
                except ModelError as error:
                    outcomes.append(error)
        finally:
            await calls.close()
            await store.close()
    return outcomes


def _require_clean(outcome: Response | Failure | ModelError) -> None:
    """Require texts of bounded length that files can hold."""
    if isinstance(outcome, Response):
        _, label, reason = parse_verdict(outcome.text, TaskSettings())
        texts = [*map(str, astuple(outcome)), str(label), reason]
        assert 0 <= outcome.input_tokens <= 10**8
        assert 0 <= outcome.output_tokens <= 10**8
        assert len(outcome.text) <= 1 << 20
    else:
        texts = [str(outcome)]
        assert len(texts[0]) < 1000
        assert "\n" not in texts[0]
    for text in texts:
        assert "\0" not in text
        text.encode("utf-8")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", [*ENDLESS, *LARGE, *ODD])
async def test_a_hostile_reply_ends_in_time_as_an_answer_a_failure_or_one_line(client: str, name: str) -> None:
    start = time.monotonic()
    timeout = SHORT_TIMEOUT if name in ENDLESS else TIMEOUT
    for outcome in await _outcomes(client, [{**ENDLESS, **LARGE, **ODD}[name]], timeout=timeout):
        _require_clean(outcome)
        if name in ENDLESS:
            assert isinstance(outcome, Failure)
    assert time.monotonic() - start < TRIES * timeout + 10  # seconds of the machine's own work


@pytest.mark.slow
@pytest.mark.parametrize(("client", "count"), [("lean", MUTATIONS), ("langchain", MUTATIONS // 5)])
async def test_mutated_replies_end_as_answers_failures_or_one_line(client: str, count: int) -> None:
    replies = [mutated(seed) for seed in range(count)] + [compressed(seed) for seed in range(count // 10)]
    outcomes = await _outcomes(client, replies, logprobs=True)
    for outcome in outcomes:
        _require_clean(outcome)
    assert sum(isinstance(outcome, Response) for outcome in outcomes) > count // 10
    assert sum(isinstance(outcome, Failure) for outcome in outcomes) > count // 10


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(json.dumps(completion()).encode())),
        ("x-gzip", gzip.compress(json.dumps(completion()).encode()) + b"\0" * 20),
        ("deflate", zlib.compress(json.dumps(completion()).encode())),
        ("deflate", zlib.compress(json.dumps(completion()).encode())[2:-4]),
        ("identity", json.dumps(completion()).encode()),
    ],
)
async def test_compressed_replies_are_read(client: str, encoding: str, body: bytes) -> None:
    async with hostile_server([whole(body, Content_Encoding=encoding)]) as server:
        answer = await result(model(server, client=client))
    assert isinstance(answer, Response)
    assert answer.text == VERDICT


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_reply_larger_than_the_setting_fails_and_the_failure_names_the_setting(client: str) -> None:
    async with hostile_server([plain(completion("a" * 4000))]) as server:
        failure = await result(model(server, client=client, max_reply_bytes=4000))
        text = await result(model(server, client=client, max_reply_bytes=16_000))
        answer = await result(model(server, client=client, max_reply_bytes=40_000))
    assert isinstance(failure, Failure)
    assert "larger than max_reply_bytes (4000)" in failure.detail
    assert isinstance(text, Failure)
    assert "its text has 4000 characters, too many for max_reply_bytes" in text.detail
    assert isinstance(answer, Response)
    assert (failure.kind, text.kind) == ("malformed", "malformed")


@pytest.mark.parametrize("client", CLIENTS)
async def test_many_large_replies_at_once_are_all_read(client: str) -> None:
    reply = plain({**completion(), "padding": "a" * 8_000_000})
    async with ChatServer(raw=lambda request: reply()) as server:
        settings = model(server, client=client, timeout=30, max_concurrency=16)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(ModelsSettings(judge=settings, optimizer=settings), LimitSettings(), store)
        answers = await asyncio.gather(*(calls.ask("judge", [user(str(i))]) for i in range(16)))
        await calls.close()
        await store.close()
    assert [isinstance(answer, Response) for answer in answers] == [True] * 16


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_flood_of_interim_replies_ends_many_calls_before_their_timeout(client: str) -> None:
    reply = ENDLESS["endless interim replies"]
    start = time.monotonic()
    outcomes = await _outcomes(client, [reply] * 12, timeout=60)
    assert time.monotonic() - start < 30
    for outcome in outcomes:
        assert isinstance(outcome, Failure)
        assert "more than 20 interim replies" in outcome.detail
        assert outcome.kind == "malformed"


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_few_interim_replies_in_pieces_are_skipped(client: str) -> None:
    async def reply() -> AsyncIterator[bytes]:
        for piece in (b"HTTP/1.1 10", b"0 Continue\r\n", b"\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n", b"\r\n"):
            yield piece
            await asyncio.sleep(0.01)
        async for piece in plain(completion())():
            yield piece

    async with ChatServer(raw=lambda request: reply()) as server:
        settings = model(server, client=client)
        answers = [await result(settings) for _ in range(2)]
    assert [isinstance(answer, Response) for answer in answers] == [True, True]
