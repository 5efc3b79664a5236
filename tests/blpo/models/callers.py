"""Callers of models on a loopback server, for tests of the call path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from blpo.models.calls import ModelCaller
from blpo.models.messages import Message, user
from blpo.models.retries import Backoff
from blpo.models.verdict_format import verdict_schema
from blpo.storage.response_store import ResponseStore
from state.settings import LimitSettings, ModelSettings, ModelsSettings, TaskSettings
from tests.servers.chat_server import ChatServer, Messages

KEY = "sk-secret-0123456789abcdef"


QUICK = Backoff(first=0.01, longest=0.05)


SCHEMA = verdict_schema(TaskSettings())


def echo(messages: Messages) -> str:
    content = messages[-1]["content"]
    return f"echo {content if isinstance(content, str) else content[-1]['text']}"


def served(server: ChatServer, **changes: Any) -> ModelSettings:
    return ModelSettings(**{"name": "vllm:tiny", "base_url": server.base_url, "timeout": 10, **changes})


def served_by(judge: ModelSettings) -> ModelsSettings:
    return ModelsSettings(judge=judge, optimizer=judge)


@asynccontextmanager
async def caller(
    models: ModelsSettings, path: Path | str = ":memory:", **limits: Any
) -> AsyncIterator[tuple[ModelCaller, ResponseStore]]:
    store = await ResponseStore.open(path)
    calls = await ModelCaller.create(models, LimitSettings(**limits), store, QUICK)
    try:
        yield calls, store
    finally:
        await calls.close()
        await store.close()


def question(text: str) -> list[Message]:
    return [user(text)]


async def arrived(server: ChatServer, requests: int) -> None:
    while len(server.requests) < requests:
        await asyncio.sleep(0.005)
