"""Calls to a loopback server through the lean client and through ChatOpenAI."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from blpo.models.calls import ModelCaller
from blpo.models.messages import Message, assistant, user
from blpo.models.retries import Backoff
from blpo.models.verdict_format import verdict_schema
from blpo.storage.response_store import ResponseStore
from state.errors import BlpoError
from state.response import Failure, Response
from state.sample import EncodedImage
from state.settings import LimitSettings, ModelSettings, ModelsSettings, TaskSettings
from tests.servers.chat_server import ChatServer, Messages

IMAGE = EncodedImage("0" * 64, "image/png", "aGVsbG8=" * 400)


SMALL = EncodedImage("1" * 64, "image/jpeg", "aGVsbG8=")


CONVERSATION = [
    Message("system", ("You judge images.",)),
    user(IMAGE, 'rate it: "good"\n\\ ü 猫 \x00', SMALL),
    assistant("4"),
    user("sure?"),
]


SCHEMA = verdict_schema(TaskSettings())


def answer(messages: Messages) -> str:
    return '{"reason": "fine", "label": 4}'


def model(server: ChatServer, **changes: Any) -> ModelSettings:
    return ModelSettings(
        **{"name": "vllm:tiny", "base_url": server.base_url, "timeout": 10, "max_retries": 0, **changes}
    )


async def outcome(settings: ModelSettings, messages: Sequence[Message] = CONVERSATION) -> Response | Failure | str:
    """Return the answer or failure of a call, or the kind of the error raised."""
    try:
        return await result(settings, messages)
    except BlpoError as error:
        return type(error).__name__


async def result(settings: ModelSettings, messages: Sequence[Message] = CONVERSATION) -> Response | Failure:
    """Return the answer or failure of a call; raises the errors of the call."""
    store = await ResponseStore.open(":memory:")
    models = ModelsSettings(judge=settings, optimizer=settings)
    calls = await ModelCaller.create(models, LimitSettings(), store, Backoff(first=0.01))
    try:
        return await calls.ask("judge", messages, schema=SCHEMA)
    finally:
        await calls.close()
        await store.close()


async def both(server: ChatServer, **changes: Any) -> list[Response | Failure | str]:
    return [await outcome(model(server, client=client, **changes)) for client in ("lean", "langchain")]


@asynccontextmanager
async def raw_server(reply: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve the same head and body to all requests; yields the address, and the heads of the requests."""
    heads: list[str] = []

    async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(reply.replace("\n", "\r\n").encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_all, "127.0.0.1", 0) as server:
        yield "{}:{}".format(*server.sockets[0].getsockname()), heads
