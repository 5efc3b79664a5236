"""Mutated replies: structure, types, sizes, encodings, headers and status of a completion or an error, by seed."""

import copy
import gzip
import json
import random
import zlib
from typing import Any

from tests.servers.hostile_replies import Raw, completion, whole

_ERROR = {"error": {"message": "wrong", "type": "invalid_request_error", "param": None, "code": "bad"}}
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, -(2**64), 1e308, float("inf"), float("nan"), "", "stop", "4", "<think>"),
    *("\ud83d", "\udc00 a\0b", "\\ud83d", '{"reason": "\\ud83d", "label": 4}', '{"label": NaN}'),
    *("error", "length", "content_filter", "a\r\nb: c", "[" * 2000, "é" * 5000),
    *([], [[]], {}, {"": {}}, [None], [{}] * 50, {"text": 1}),
)
_ERRORS = (201, 204, 301, 400, 404, 413, 422, 429, 500, 529)
_STATUSES = ("200 OK",) * 12 + tuple(f"{status} x" for status in _ERRORS)
_FIELDS: tuple[dict[str, str], ...] = (
    *({},) * 8,
    {"Content_Encoding": "gzip"},
    {"Content_Encoding": "identity"},
    {"Content_Type": "text/event-stream; charset=nonsense"},
    {"Retry_After": "0"},
    {"Retry_After": "Wed, 99 Foo 2026"},
    {"Location": "//[::1"},
    {"Set_Cookie": "a=b; expires=never; \x7f"},
    {"X_Request_Id": "é" * 100},
)


def mutated(seed: int) -> Raw:
    """Return the reply of a seed. About a quarter of the replies are changed in their bytes too."""
    generator = random.Random(seed)
    content: Any = copy.deepcopy(_ERROR if generator.random() < 0.2 else completion(logprobs=_logprobs()))
    for _ in range(generator.randint(0, 3)):
        content = _changed(content, generator)
    body = _encoded(content, generator)
    if generator.random() < 0.25:
        body = _damaged(body, generator)
    return whole(body, generator.choice(_STATUSES), **_envelope(body, generator))


def _logprobs() -> dict[str, Any]:
    token = {"token": "4", "logprob": -0.1, "bytes": [52]}
    return {"content": [{**token, "top_logprobs": [token]}]}


def _changed(content: Any, generator: random.Random) -> Any:
    """Return the content with a value replaced, dropped, renamed or wrapped, anywhere in the structure."""
    if not isinstance(content, dict | list) or not content or generator.random() < 0.1:
        return generator.choice((*_VALUES, [content], {"choices": content}, json.dumps(content)))
    keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    key = generator.choice(keys)
    action = generator.random()
    if action < 0.15:
        del content[key]
    elif action < 0.25 and isinstance(content, dict):
        content[generator.choice(("\ud83d", "error", "content", "x" * 1000))] = content.pop(key)
    else:
        content[key] = _changed(content[key], generator)
    return content


def _encoded(content: Any, generator: random.Random) -> bytes:
    text = json.dumps(content, ensure_ascii=generator.random() < 0.7)
    encoding = generator.choice(("utf-8",) * 6 + ("utf-16", "utf-8-sig", "latin-1"))
    return text.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")


def _damaged(body: bytes, generator: random.Random) -> bytes:
    start, end = sorted(generator.randint(0, len(body)) for _ in range(2))
    piece = generator.choice((b"", body[start:end] * 3, generator.randbytes(8), b"[" * 3000, b"9" * 5000, b"\\u0000"))
    return body[:start] + piece + body[generator.choice((start, end)) :]


def _envelope(body: bytes, generator: random.Random) -> dict[str, str]:
    return generator.choice(_FIELDS)


def compressed(seed: int) -> Raw:
    """Return the reply of a seed, compressed well or not so well."""
    generator = random.Random(seed)
    body = _encoded(completion(), generator)
    packed, name = (gzip.compress(body), "gzip") if generator.random() < 0.5 else (zlib.compress(body), "deflate")
    return whole(_damaged(packed, generator) if generator.random() < 0.5 else packed, Content_Encoding=name)
