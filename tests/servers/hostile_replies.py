"""Replies that no honest server sends: endless, compressed many times over, nested, odd in text and numbers."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from tests.servers.chat_server import ChatServer

MEBIBYTE = 1 << 20
VERDICT = '{"reason": "fine", "label": 4}'
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
_LETTERS = b"a" * 65_536
Raw = Callable[[], AsyncIterator[bytes]]


def completion(content: Any = VERDICT, usage: Any = USAGE, **choice: Any) -> dict[str, Any]:
    """Return a completion with `content` and `usage`, and with fields of `choice`."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": usage,
    }


def head(status: str = "200 OK", **fields: object) -> bytes:
    """Return a status line and headers; `_` in a name stands for `-`."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{lines}\r\n".encode()


def whole(body: bytes, status: str = "200 OK", **fields: object) -> Raw:
    """Return a reply with this body."""

    async def reply() -> AsyncIterator[bytes]:
        yield head(status, Content_Length=len(body), **fields)
        for start in range(0, len(body), MEBIBYTE):
            yield body[start : start + MEBIBYTE]

    return reply


def plain(content: Any) -> Raw:
    """Return a reply with this JSON."""
    return whole(json.dumps(content).encode())


def _repeated(first: bytes, chunk: bytes, count: int | None, delay: float = 0.0) -> Raw:
    """Return a reply that goes on with the same chunk, `count` times or without end."""

    async def reply() -> AsyncIterator[bytes]:
        yield first
        sent = 0
        while count is None or sent < count:
            yield chunk
            sent += 1
            await asyncio.sleep(delay)

    return reply


def _bomb(window: int) -> tuple[bytes, bytes]:
    """Return the start of a compressed body, and a piece that stands for a mebibyte, to be repeated without end."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window)
    parts = [compressor.compress(b" " * MEBIBYTE) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    return parts[0], parts[1]


def _bomb_reply(encoding: str, window: int) -> Raw:
    start, piece = _bomb(window)
    return _repeated(head(Content_Encoding=encoding) + start, piece * 64, 64)


def _around(inside: bytes, size: int, tail: bytes = b"") -> Raw:
    """Return a JSON body of about `size` bytes: `inside` repeated in a list in the place of the choices."""
    return whole(b'{"choices":[' + inside * (size // len(inside)) + b"0]" + tail + b"}")


_CHUNK = b"10000\r\n" + _LETTERS + b"\r\n"
ENDLESS: dict[str, Raw] = {
    "200 MB": _repeated(head(Content_Length=200 * MEBIBYTE) + b'{"choices": "', _LETTERS, 3200),
    "endless": _repeated(head() + b'{"choices": "', _LETTERS, None),
    "endless chunks": _repeated(head(Transfer_Encoding="chunked"), _CHUNK, None),
    "endless error": _repeated(head("503 Busy"), _LETTERS, None),
    "gzip bomb": _bomb_reply("gzip", 31),
    "deflate bomb": _bomb_reply("deflate", 15),
    "raw deflate bomb": _bomb_reply("deflate", -15),
    "gzip without end": _repeated(head(Content_Encoding="gzip") + _bomb(31)[0], b"", None, 0.01),
    "unknown encoding": whole(b"x" * 1000, Content_Encoding="br"),
    "broken gzip": whole(b"\x1f\x8b" + b"x" * 1000, Content_Encoding="gzip"),
    "drip": _repeated(head(Content_Length=1000), b" ", 1000, 0.2),
    "drip of headers": _repeated(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n", 1000, 0.2),
    "endless headers": _repeated(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n" * 1000, None),
    "endless header": _repeated(b"HTTP/1.1 200 OK\r\nx-a: ", _LETTERS, None),
    "endless status": _repeated(b"HTTP/1.1 200 ", _LETTERS, None),
    "endless interim replies": _repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, None),
    "endless trailers": _repeated(head(Transfer_Encoding="chunked") + b"0\r\n", b"x-a: b\r\n" * 1000, None),
    "endless chunk extension": _repeated(head(Transfer_Encoding="chunked") + b"1;x=", _LETTERS, None),
    "silence": _repeated(b"", b"", None, 0.2),
}
"""Replies that never end, end late, or are much larger than any answer."""


def with_log_probabilities(count: int) -> dict[str, Any]:
    """Return a completion with a reason of `count` tokens, and 20 alternatives for every token."""
    texts = ['{"reason": "', *[" a"] * count, '", "label": ', "4", "}"]
    alternatives = [" a", *"456789", *(f" b{number}" for number in range(13))]
    fields = {text: {"token": text, "logprob": -1.25, "bytes": list(text.encode())} for text in {*texts, *alternatives}}
    others = [fields[text] for text in alternatives]
    content = [{**fields[text], "top_logprobs": others} for text in texts]
    return completion("".join(texts), logprobs={"content": content})


LARGE: dict[str, Raw] = {
    "8 MB of objects": _around(b"{},", 8_380_000),
    "8 MB of small objects": _around(b'{"":0},', 8_380_000),
    "8 MB of numbers": _around(b"1e1,", 8_380_000),
    "8 MB of texts": _around(b'"\\"a",', 8_380_000),
    "8 MB of quotes": whole(b'{"choices": "' + b'\\"' * 4_190_000),
    "1 object for 16 bytes": _around(b'{"":0         },', 8_380_000),
    "1 object for 20 bytes": _around(b'{"":0,"a":1        },', 8_380_000),
    "250 kB of objects": _around(b"{},", 250_000),
    "8 MB of text": plain(completion("a" * 8_380_000)),
    "8 MB of reason": plain(completion('{"reason": "' + "a" * 8_380_000 + '", "label": 4}')),
    "8 MB with an emoji": plain(completion("\N{GRINNING FACE}" + "a" * 8_380_000)),
    "1 MB of text": plain(completion("a" * 1_040_000)),
    "1 MB with an emoji": whole(json.dumps(completion("a" * 1_040_000 + "😀"), ensure_ascii=False).encode()),
    "7 MB of log-probabilities": plain(with_log_probabilities(5600)),
    "nested deeply": whole(b'{"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "nested content": whole(json.dumps(completion("X")).replace('"X"', "[" * 900 + "]" * 900).encode()),
    "nested text": plain(completion('{"label":' + "[" * 100_000)),
    "nested error": whole(b'{"error":' + b'{"error":' * 500 + b"1" + b"}" * 501, "400 Bad Request"),
    "nested detail": whole(b'{"detail":' + b"[" * 900 + b"]" * 900 + b"}", "400 Bad Request"),
}
"""Replies within the limit that cost much memory, much time or a deep stack."""

_HALF = "half \ud83d of an emoji and \0"
ODD: dict[str, Raw] = {
    "half an emoji in the text": plain(completion(_HALF)),
    "half an emoji in a reason": plain(completion(json.dumps({"reason": _HALF, "label": 4}))),
    "half an emoji in a category": plain(completion(json.dumps({"reason": "", "label": _HALF}))),
    "half an emoji in the finish reason": plain(completion(finish_reason=_HALF)),
    "half an emoji in the model": plain({**completion(), "model": _HALF}),
    "half an emoji in a refusal": plain(completion(message={"content": None, "refusal": _HALF})),
    "half an emoji in an error": whole(
        json.dumps({"error": {"message": _HALF, "code": _HALF, "param": _HALF, "type": _HALF}}).encode(), "400 Bad"
    ),
    "half an emoji in an error of 200": plain({"error": {"message": _HALF, "code": _HALF}}),
    "half an emoji in a location": whole(b"", "302 Found", Location="http://x/\ufffd"),
    "half an emoji as bytes": whole(json.dumps(completion("X")).encode().replace(b"X", b"\xed\xa0\xbd")),
    "half an emoji in a tool call": plain(
        completion(message={"content": None, "tool_calls": [{"function": {"name": _HALF, "arguments": _HALF}}]})
    ),
    "2^63 tokens": plain(completion(usage={"prompt_tokens": 2**63, "completion_tokens": 2**63})),
    "2^62 tokens": plain(completion(usage={"prompt_tokens": 2**62, "completion_tokens": 2**62})),
    "negative tokens": plain(completion(usage={"prompt_tokens": -5, "completion_tokens": -(2**70)})),
    "tokens of another type": plain(completion(usage={"prompt_tokens": "many", "completion_tokens": [1]})),
    "endless tokens": whole(json.dumps(completion(usage={"prompt_tokens": float("inf")})).encode()),
    "no number": whole(json.dumps(completion(usage={"completion_tokens": float("nan")})).encode()),
    "a number of 1 MB": whole(b'{"choices": ' + b"9" * MEBIBYTE + b"}"),
    "a label of 5000 digits": plain(completion('{"label": ' + "9" * 5000 + "}")),
    "a list for a message": plain({**completion(), "choices": [[1, 2]]}),
    "parts of no type": plain(completion([{}, 1, None, {"type": "text"}, {"type": "text", "text": 5}])),
    "a mapping for content": plain(completion({"reason": "r", "label": 4})),
    "another type for everything": plain(
        {"choices": [{"message": {"content": 5, "refusal": [1]}, "finish_reason": {}}]}
    ),
    "a text for choices": plain({"choices": "abc"}),
    "a mapping for choices": plain({"choices": {"0": 1}}),
    "nothing": whole(b""),
    "null": whole(b"null"),
    "UTF-16": whole(json.dumps(completion()).encode("utf-16")),
    "no UTF-8": whole(b'{"choices": "\xff\xfe"}'),
    "a length that lies": whole(b"{}", Content_length=5),
    "no HTTP": _repeated(b"SSH-2.0-OpenSSH_9.2\r\n", b"", 1),
    "an endless wait": whole(b"{}", "429 Busy", Retry_After="1e400"),
    "a wait of no number": whole(b"{}", "429 Busy", Retry_After="nan"),
    "a negative wait": whole(b"{}", "503 Busy", Retry_After="-5", retry_after_ms="-1e9"),
    "a status without a name": whole(b"{}", "999"),
}
"""Small replies of odd structure, types, numbers and characters."""

ALL: dict[str, Raw] = {**ENDLESS, **LARGE, **ODD}


def hostile_server(replies: Iterable[Raw]) -> ChatServer:
    """Return a server that gives these replies in turn, in the order of the requests; the last reply goes on."""
    remaining = iter(replies)
    last: list[Raw] = []

    def reply(request: dict[str, Any]) -> AsyncIterator[bytes]:
        last[:] = [next(remaining, *last)]
        return last[0]()

    return ChatServer(raw=reply)
