"""A chat-completions server on loopback that speaks the real protocol, and misbehaves on demand.

Its answers come from a function of the messages. It counts what it is sent, and ends with its `async with` block.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

Messages = list[dict[str, Any]]
"""Chat messages as they come in: OpenAI's JSON."""

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    408: "Request Timeout",
    429: "Too Many",
}


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong."""

    status: int = 200
    """Other than 200: an error of this kind, in OpenAI's form."""
    code: str | None = None
    param: str | None = None
    message: str = "made to fail"
    retry_after: str | None = None
    body: Literal["chat", "malformed", "html", "no_choices", "half", "dropped"] = "chat"
    """With status 200: no JSON, a web page, JSON without choices, a body that breaks off, or no reply at all."""
    delay: float = 0.0
    """Seconds until the reply."""


FINE = Fault()


@dataclass
class ChatServer:
    """`async with ChatServer(answer) as server`: serves at `server.base_url` until the end of the block."""

    answer: Callable[[Messages], str]
    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    """One for each request, in the order of arrival; when it is exhausted all goes well."""
    latency: float = 0.0
    """Seconds that every good answer takes."""
    api_key: str | None = None
    """Refuse any other key with 401, quoting it in the error as some servers do."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of the assistant's message to set, such as `refusal`."""
    finish_reason: str = "stop"
    usage: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of all requests, good and bad."""
    most_at_once: int = 0
    _at_once: int = 0
    _server: asyncio.Server | None = None
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        """The address to give a client."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
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
            pass  # the client has left, or the server ends
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; returns whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reply = await self._reply(head[0], headers, body)
        finally:
            self._at_once -= 1
        writer.write(reply or b"")
        await writer.drain()
        return reply is not None and not reply.endswith(b"half of")

    async def _reply(self, line: str, headers: dict[str, str], body: bytes) -> bytes | None:
        if not line.startswith("POST /v1/chat/completions"):
            return _error(404, f"no such path: {line}")
        request = json.loads(body)
        self.requests.append(request)
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self.api_key is not None and given != self.api_key:
            return _error(401, f"Incorrect API key provided: {given}", code="invalid_api_key")
        fault = next(self.faults, FINE)
        await asyncio.sleep(fault.delay or (self.latency if fault == FINE else 0))
        if fault.status != 200:
            return _error(fault.status, fault.message, fault.code, fault.param, fault.retry_after)
        return self._body(fault, request)

    def _body(self, fault: Fault, request: dict[str, Any]) -> bytes | None:
        if fault.body == "dropped":
            return None
        if fault.body == "malformed":
            return _http(200, b'{"choices": [{"mess')
        if fault.body == "html":
            return _http(200, b"<html>busy</html>", kind="text/html")
        if fault.body == "no_choices":
            return _http(200, b'{"id": "1", "object": "chat.completion", "model": "m", "created": 0}')
        reply = _http(200, json.dumps(self._completion(request)).encode())
        return reply[: len(reply) // 2] + b"half of" if fault.body == "half" else reply

    def _completion(self, request: dict[str, Any]) -> dict[str, Any]:
        text = self.answer(request["messages"])
        message = {"role": "assistant", "content": text, **self.extra}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        asked, answered = len(json.dumps(request["messages"])) // 4, len(text) // 4 + 1
        usage = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
        return {
            "id": f"chatcmpl-{len(self.requests)}",
            "object": "chat.completion",
            "created": 0,
            "model": f"{request['model']}-2026-01",
            "choices": [choice],
            **({"usage": usage} if self.usage else {}),
        }


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
