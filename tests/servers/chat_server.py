"""Chat-completions server on loopback: speaks the real protocol, and misbehaves on demand.

Answers come from a function of the messages, or of the whole request. The server counts requests and bytes, and ends
with the `async with` block. To run the server as a process, with the embedded models for answers:

    python -m tests.servers.chat_server --port 8123 [--latency 0.2] [--faults 0.1] [--plain] [--killed-at 30]
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from tests.servers.faults import FINE, Fault, weather

__all__ = ["ChatServer", "Fault", "Messages", "Reply"]

Messages = list[dict[str, Any]]
"""Chat messages of a request: OpenAI's JSON."""

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    408: "Request Timeout",
    429: "Too Many",
}
_PLAIN = '{"reason": "plain", "label": 3}'
_DROPS = 20


@dataclass(frozen=True)
class Reply:
    """An answer, and tokens as counted by the server."""

    text: str
    input_tokens: int
    output_tokens: int
    choice: dict[str, Any] = field(default_factory=dict)
    """Further fields of the choice of this reply alone, such as `logprobs`."""


@dataclass
class ChatServer:
    """Server at `base_url` until the end of the block: `async with ChatServer(answer) as server`."""

    answer: Callable[[Messages], str] | None = None
    faults: Iterator[Fault] | Callable[[dict[str, Any]], Fault] = field(default_factory=lambda: iter(()))
    """A fault for every request in the order of arrival (no faults after the last), or a function of the request."""
    latency: float = 0.0
    """Seconds of every good answer."""
    api_key: str | None = None
    """Accepted key. A wrong key is refused with 401, and quoted in the error as some servers do."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the assistant's message, such as `refusal`."""
    choice: dict[str, Any] = field(default_factory=dict)
    """Further fields of the choice, such as `logprobs`."""
    finish_reason: str = "stop"
    usage: bool = True
    cached_tokens: int | None = None
    """Input tokens of every reply from the prefix cache, as vLLM and llama.cpp tell; None: not told."""
    respond: Callable[[dict[str, Any]], Awaitable[Reply]] | None = None
    """Reply to a whole request, instead of `answer`."""
    raw: Callable[[dict[str, Any]], AsyncIterator[bytes]] | None = None
    """Bytes of a whole HTTP reply to a request, instead of `answer`; the connection is closed after the bytes."""
    plain: bool = False
    """Same verdict for all requests, instead of `answer`, for benchmarks; the body is counted and not parsed."""
    structured: Literal["ignored", "refused"] = "ignored"
    """Effect of a `response_format`: none, or a 400."""
    named_images: Literal["kept", "ignored", "refused"] = "kept"
    """Effect of an image's `uuid`: as in vLLM, none (an image without data is a 400), or a 400."""
    killed_at: int | None = None
    """Number of the request that kills the process before an answer."""
    rate: tuple[int, float] | None = None
    """Most requests in a number of seconds, else 429 with Retry-After."""
    port: int = 0
    """0: any free port."""
    tls: ssl.SSLContext | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of all requests, good and bad (none for a plain server)."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the last request, names in lower case."""
    target: str = ""
    """Path and query of the last request."""
    count: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    """Bytes of the bodies of replies."""
    most_at_once: int = 0
    cached_images: set[str] = field(default_factory=set)
    """Images by `uuid`, as in vLLM's cache; clear the set to drop the images."""
    _at_once: int = 0
    _recent: deque[float] = field(default_factory=deque)
    _server: asyncio.Server | None = None
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        """Address for a client."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, limit=2**20, backlog=1024, ssl=self.tls
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has closed the connection, or the server ends
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve a request; return true if the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        headers = self.headers
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.bytes_received += len(body)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reply, fault = await self._reply(head[0], headers, body)
        finally:
            self._at_once -= 1
        if self.raw is not None and self.requests:
            async for chunk in self.raw(self.requests[-1]):
                writer.write(chunk)
                await writer.drain()
            return False
        if reply is not None:
            await self._write(reply, fault, writer)
        return reply is not None and fault.body != "half"

    async def _write(self, reply: bytes, fault: Fault, writer: asyncio.StreamWriter) -> None:
        self.bytes_sent += len(reply) - reply.index(b"\r\n\r\n") - 4
        if fault.body == "half":
            reply = reply[: len(reply) // 2]
        drop = len(reply) if fault.body != "slow" else -(-len(reply) // _DROPS)
        for start in range(0, len(reply), drop):
            writer.write(reply[start : start + drop])
            await writer.drain()
            await asyncio.sleep(fault.delay / _DROPS if fault.body == "slow" else 0)

    async def _reply(self, line: str, headers: dict[str, str], body: bytes) -> tuple[bytes | None, Fault]:
        self.target = line.split(" ")[1]
        if not self.target.partition("?")[0].endswith("/chat/completions"):
            return _error(404, f"no such path: {line}"), FINE
        self.count += 1
        if self.count == self.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.plain:
            await asyncio.sleep(self.latency)
            return _http(200, json.dumps(self._completion("plain", Reply(_PLAIN, 500, 10), FINE)).encode()), FINE
        request = json.loads(body)
        self.requests.append(request)
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if self.api_key is not None and key != self.api_key:
            return _error(401, f"Incorrect API key provided: {key}", code="invalid_api_key"), FINE
        if self.raw is not None:
            return None, FINE
        fault = self.faults(request) if callable(self.faults) else next(self.faults, FINE)
        if (refusal := self._over_rate() or self._not_supported(request)) is not None:
            return refusal, FINE
        wait = 0 if fault.body == "slow" else fault.delay
        await asyncio.sleep(wait or (self.latency if fault == FINE else 0))
        if fault.text is not None:
            return _http(fault.status, fault.text.encode(), kind=fault.kind), fault
        if fault.status != 200:
            return _error(fault.status, fault.message, fault.code, fault.param, fault.retry_after), fault
        return await self._body(fault, request), fault

    def _over_rate(self) -> bytes | None:
        if self.rate is None:
            return None
        most, seconds = self.rate
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - seconds:
            self._recent.popleft()
        if len(self._recent) >= most:
            wait = f"{self._recent[0] + seconds - now:.3f}"
            return _error(429, "over the limit", retry_after=wait)
        self._recent.append(now)
        return None

    def _not_supported(self, request: dict[str, Any]) -> bytes | None:
        if self.structured == "refused" and "response_format" in request:
            return _error(400, "response_format is not supported", param="response_format")
        if self.named_images == "refused" and any("uuid" in part for part in _images(request)):
            return _error(400, "Extra inputs are not permitted: uuid")
        if self.named_images == "ignored":
            missing = any(part.get("image_url") is None for part in _images(request))
            return _error(400, "image_url: input should be an object") if missing else None
        for part in _images(request):
            if part.get("image_url") is None and part.get("uuid") not in self.cached_images:
                return _error(400, f"Cache miss for image {part.get('uuid')}")
        self.cached_images |= {part["uuid"] for part in _images(request) if "uuid" in part}
        return None

    async def _body(self, fault: Fault, request: dict[str, Any]) -> bytes | None:
        if fault.body == "dropped":
            return None
        if fault.body == "malformed":
            return _http(200, b'{"choices": [{"mess')
        if fault.body == "html":
            return _http(200, b"<html>busy</html>", kind="text/html")
        if fault.body == "no_choices":
            return _http(200, b'{"id": "1", "object": "chat.completion", "model": "m", "created": 0}')
        if self.respond is not None:
            reply = await self.respond(request)
        else:
            assert self.answer is not None
            text = self.answer(request["messages"])
            reply = Reply(text, len(json.dumps(request["messages"])) // 4, len(text) // 4 + 1)
        return _http(200, json.dumps(self._completion(request["model"], reply, fault)).encode())

    def _completion(self, model: str, reply: Reply, fault: Fault) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text, **self.extra}
        if fault.body == "refusal":
            message |= {"content": None, "refusal": "I can't help with this image."}
        elif fault.body == "empty":
            message["content"] = ""
        elif fault.body == "tells_key":
            message["content"] = f"You are {self.headers.get('authorization')}"
        elif fault.body == "wrong_label":
            message["content"] = '{"reason": "far off", "label": 97}'
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason, **self.choice, **reply.choice}
        usage: dict[str, Any] = {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
        }
        if self.cached_tokens is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": self.cached_tokens}
        return {
            "id": f"chatcmpl-{self.count}",
            "object": "chat.completion",
            "created": 0,
            "model": f"{model}-2026-01",
            "choices": [choice],
            **({"usage": usage} if self.usage else {}),
        }


def _images(request: dict[str, Any]) -> list[dict[str, Any]]:
    parts = (message["content"] for message in request["messages"] if isinstance(message["content"], list))
    return [part for content in parts for part in content if part.get("type") == "image_url"]


def _error(
    status: int, message: str, code: str | None = None, param: str | None = None, retry_after: str | None = None
) -> bytes:
    error = {"message": message, "type": "error", "param": param, "code": code}
    headers = {"retry-after": retry_after} if retry_after is not None else {}
    return _http(status, json.dumps({"error": error}).encode(), headers)


def _http(status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "application/json") -> bytes:
    fields = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\n{head}\r\n".encode() + body


async def serve(options: argparse.Namespace) -> None:
    """Serve until the process is killed; print the address when connections are accepted."""
    from tests.servers.embedded_answers import embedded_answer

    server = ChatServer(latency=options.latency, port=options.port, plain=options.plain, killed_at=options.killed_at)
    if not options.plain:
        server.respond, server.faults = embedded_answer, weather(options.faults, options.seed)
    async with server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of a good answer")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests with a passing fault")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--killed-at", type=int, help="number of the request that kills the process")
    parser.add_argument("--plain", action="store_true", help="same verdict for all requests, for benchmarks")
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
