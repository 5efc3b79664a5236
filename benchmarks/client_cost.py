"""CPU that a client spends on a judge call, side by side for several clients.

    python -m benchmarks.client_cost [--calls 400] [--repeats 3]

A judge call is a prompt and an image. The server is a separate process on loopback and answers at once, so the
benchmark measures the work of the client alone: `time.process_time` over the calls, for all threads. Images differ from
call to call, and are encoded before the measurement for every client. Requirement: our client, with the response store
on disk, costs at most 0.25 times `openai.AsyncOpenAI`. The minimum of the repeats counts, because work of other
processes only adds time.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from pydantic import SecretStr

from benchmarks.chat_process import chat_process
from blpo.models.calls import ModelCaller
from blpo.models.messages import user
from blpo.models.verdict_format import verdict_schema
from blpo.storage.response_store import ResponseStore
from state.response import Response
from state.sample import EncodedImage
from state.settings import LimitSettings, ModelSettings, ModelsSettings, TaskSettings

ALLOWED = 0.25
PROMPT = "Rate how natural the image looks, from 1 to 5. Look at light, texture and anatomy. " * 12
CLIENTS = ("httpx", "aiohttp", "AsyncOpenAI", "ChatOpenAI", "ours")
Ask = Callable[[EncodedImage], Awaitable[object]]


def images(count: int, size: int) -> list[EncodedImage]:
    """Return `count` distinct images of `size` bytes."""
    data = (os.urandom(16) + bytes(size - 16) for _ in range(count))
    return [EncodedImage(sha256(each).hexdigest(), "image/jpeg", b64encode(each).decode("ascii")) for each in data]


def messages(image: EncodedImage) -> list[dict[str, Any]]:
    """Return the messages of a judge call in the form of the protocol."""
    part = {"type": "image_url", "image_url": {"url": image.data_url}}
    return [{"role": "user", "content": [part, {"type": "text", "text": PROMPT}]}]


async def client(name: str, url: str, concurrency: int, folder: Path, stack: AsyncExitStack) -> Ask:
    """Return a function that asks through the named client; the stack closes the client."""
    fixed: dict[str, Any] = {"model": "judge", "temperature": 0.0}
    if name == "httpx":
        over_httpx = await stack.enter_async_context(httpx.AsyncClient(timeout=60))

        async def ask_httpx(image: EncodedImage) -> object:
            reply = await over_httpx.post(f"{url}/chat/completions", json={**fixed, "messages": messages(image)})
            return reply.json()["choices"][0]["message"]["content"]

        return ask_httpx
    if name == "aiohttp":
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

        async def ask_aiohttp(image: EncodedImage) -> object:
            body = {**fixed, "messages": messages(image)}
            async with session.post(f"{url}/chat/completions", json=body) as reply:
                return (await reply.json())["choices"][0]["message"]["content"]

        return ask_aiohttp
    if name == "AsyncOpenAI":
        bare = await stack.enter_async_context(AsyncOpenAI(base_url=url, api_key="EMPTY", max_retries=0))

        async def ask_openai(image: EncodedImage) -> object:
            request: Any = messages(image)
            return (await bare.chat.completions.create(messages=request, **fixed)).choices[0].message.content

        return ask_openai
    if name == "ChatOpenAI":
        own = await stack.enter_async_context(DefaultAsyncHttpxClient())  # a shared client belongs to one event loop
        chat = ChatOpenAI(
            model="judge", base_url=url, api_key=SecretStr("EMPTY"), temperature=0, max_retries=0, http_async_client=own
        )

        async def ask_langchain(image: EncodedImage) -> object:
            return (await chat.ainvoke(messages(image))).text

        return ask_langchain
    return await _ours(url, concurrency, folder, stack)


async def _ours(url: str, concurrency: int, folder: Path, stack: AsyncExitStack) -> Ask:
    judge = ModelSettings(name="vllm:judge", base_url=url, max_concurrency=concurrency)
    store = await ResponseStore.open(folder / "responses.sqlite")
    stack.push_async_callback(store.close)
    calls = await ModelCaller.create(ModelsSettings(judge=judge, optimizer=judge), LimitSettings(), store)
    stack.push_async_callback(calls.close)
    verdict = verdict_schema(TaskSettings())

    async def ask(image: EncodedImage) -> object:
        answer = await calls.ask("judge", [user(image, PROMPT)], schema=verdict)
        assert isinstance(answer, Response), answer
        return answer.text

    return ask


async def cost(name: str, url: str, concurrency: int, encoded: Sequence[EncodedImage]) -> float:
    """Return CPU milliseconds a call, with open connections."""
    with tempfile.TemporaryDirectory(prefix="blpo-cost-") as folder:
        async with AsyncExitStack() as stack:
            ask = await client(name, url, concurrency, Path(folder), stack)
            warm, rest = encoded[:concurrency], iter(encoded[concurrency:])
            await asyncio.gather(*(ask(image) for image in warm))

            async def worker() -> None:
                for image in rest:
                    await ask(image)

            gc.collect()
            start = time.process_time()
            await asyncio.gather(*(worker() for _ in range(concurrency)))
            return (time.process_time() - start) * 1e3 / (len(encoded) - concurrency)


def main() -> int:
    """Print a table; return 1 if our client costs more than allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    worst = 0.0
    print("CPU ms a call (times AsyncOpenAI)\n" + f"{'image':>7} {'at once':>7}" + "".join(f"{n:>19}" for n in CLIENTS))
    with chat_process() as url:
        for size in (64_000, 1_000_000):
            for concurrency in (16, 64):
                encoded = images(min(options.calls, 400_000_000 // size) + concurrency, size)
                costs = {
                    name: min(asyncio.run(cost(name, url, concurrency, encoded)) for _ in range(options.repeats))
                    for name in CLIENTS
                }
                base = costs["AsyncOpenAI"]
                cells = "".join(f"{costs[name]:>11.2f} ({costs[name] / base:.2f})" for name in CLIENTS)
                print(f"{size // 1000:>4} kB {concurrency:>7}{cells}", flush=True)
                worst = max(worst, costs["ours"] / base)
    print(f"ours at most {worst:.2f} times AsyncOpenAI; allowed: {ALLOWED}")
    return 0 if worst <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
