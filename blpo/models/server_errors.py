"""Errors of a chat-completions server: one reader of all forms (`blpo.models.server_sayings` has the meanings).

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from blpo.models.server_sayings import ErrorMeaning, meaning_of

_MOST_NESTED = 500
"""Values of an error reply that are read."""
_CODE_KEYS = ("code", "type", "status", "reason", "reasons", "finish_reason", "error_code", "error_type", "status_code")
_MESSAGE_KEYS = ("message", "msg", "detail", "error", "description", "error_description", "title", "status_msg")
_FILTER_KEYS = ("filtered", "flagged_input", "blockreason", "block_reason")
"""Keys that stand only in reports of a content filter, with a true value."""

_REPEATED = ("input", "content", "text", "url", "prompt")
"""Keys under which servers repeat the request."""

BROKEN_OFF = re.compile(r"error|abort|cancel|interrupt|insufficient_system", re.IGNORECASE)
"""Finish reasons of an answer that failed on the way. The status is 200 all the same."""


_MOST_READ = 65_536
"""Bytes of an error reply that are read."""
_NOT_BY_SCHEMA = (401, 402, 403, 404, 407, 408, 409, 413, 429)
"""Statuses with a matter of their own, unless words name the schema."""


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """Error of a server, as far as the server tells."""

    status: int
    """Status of the reply; 0: none."""
    message: str = ""
    """Words of the server; without a message the text of the body."""
    has_message: bool = False
    """False if `message` is the text of a body in no known form."""
    codes: frozenset[str] = frozenset()
    """All codes, types and reasons at any depth, in lower case, letters and digits alone."""
    parameter: str = ""
    """Refused parameter of the request."""
    other_words: str = ""
    """All texts of a JSON body without a message."""

    @property
    def meaning(self) -> ErrorMeaning | None:
        """Meaning by the table; None for words never seen."""
        return meaning_of(self.status, self.codes, self.other_words or self.message)


def read_error(status: int, body: bytes) -> ErrorReply:
    """Read the error reply in `body`: objects, lists and texts of all vendors."""
    text = body[:_MOST_READ].decode("utf-8", "replace")
    try:
        return _read_json_error(status, text)
    except (ValueError, RecursionError):
        return ErrorReply(status, " ".join(text.split()))


def _read_json_error(status: int, text: str) -> ErrorReply:
    content = json.loads(text)
    error = _error_object(content)
    message = error.get("message")
    codes = frozenset(_codes(content))
    parameter = str(error.get("param") or _refused_field(content))
    if isinstance(message, str) and message:
        return ErrorReply(status, message, True, codes, parameter)
    return ErrorReply(status, " ".join(text.split()), False, codes, parameter, " ".join(_texts(content)) or " ")


def error_of(error: Exception) -> ErrorReply:
    """Read the error reply behind an exception of a client; an exception without a reply gives its own words."""
    status = getattr(error, "status_code", None)
    body = getattr(error, "body_bytes", None)
    if body is None:
        try:
            body = getattr(getattr(error, "response", None), "content", None)
        except RuntimeError:  # the body was never read
            body = None
    code, parameter = str(getattr(error, "code", None) or ""), str(getattr(error, "param", None) or "")
    number = status if isinstance(status, int) else 0
    if not isinstance(body, bytes) or not body:
        return ErrorReply(
            number, str(error)[:_MOST_READ], bool(str(error)), frozenset(_plain(c) for c in (code,) if c), parameter
        )
    return read_error(number, body)


def may_refuse_schema(error: Exception, *, is_known: bool) -> bool:
    """Return True if an error may be a refusal of the request's schema.

    `is_known` is true if the server has answered a request with a schema: then only words about schemas count.
    """
    reply = error_of(error)
    if reply.meaning == "schema":
        return reply.status in (400, 403, 404, 405, 406, 415, 422, 500, 501)
    if is_known or not 400 <= reply.status < 500:
        return False
    return reply.meaning is None and reply.status not in _NOT_BY_SCHEMA


@lru_cache(maxsize=64)  # every answer has a finish reason, and few differ
def is_filter_word(finish_reason: str) -> bool:
    """Return True if a finish reason says that a filter or the model declined: `content_filter`, `SAFETY` ..."""
    return ErrorReply(0, codes=frozenset({_plain(finish_reason)})).meaning == "refused"


def _error_object(content: Any) -> Mapping[str, Any]:
    """Return the error with a text as `message`: OpenAI's form, FastAPI's `detail`, a list of errors, or a text."""
    if isinstance(content, list):
        return _error_object(content[0]) if content else {}
    if isinstance(content, str):
        return {"message": content}
    if not isinstance(content, dict):
        return {}
    inner = content.get("error") or content.get("errors")
    error = _error_object(inner) if inner else content
    if isinstance(error.get("message"), str) and error["message"]:
        return error
    other = next((error[key] for key in ("detail", "msg", "error_description", "title") if error.get(key)), None)
    if other is None:
        return error
    return {**error, "message": other if isinstance(other, str) else json.dumps(other, ensure_ascii=False)}


def _mappings(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all objects in JSON, outermost first."""
    values = [content]
    for position in range(_MOST_NESTED):
        if position >= len(values):
            return
        value = values[position]
        if isinstance(value, dict):
            yield value
        if isinstance(value, dict | list):
            values += list(value.values() if isinstance(value, dict) else value)[:_MOST_NESTED]


def _texts(content: Any) -> Iterator[str]:
    """Yield all texts in JSON but a repeated request."""
    for fields in _mappings(content):
        yield from (value for key, value in fields.items() if isinstance(value, str) and key not in _REPEATED)


def _codes(content: Any) -> Iterator[str]:
    for fields in _mappings(content):
        for key, value in fields.items():
            if key in _CODE_KEYS:
                yield from (_plain(str(each)) for each in (value if isinstance(value, list) else [value]))
            if str(key).lower() in _FILTER_KEYS and value:
                yield "flagged"


def _plain(code: str) -> str:
    return re.sub(r"[\W_]", "", code[:100].lower())


def _refused_field(content: Any) -> str:
    """Return the field of the request that FastAPI's `loc` names: the last name below the body."""
    for fields in _mappings(content):
        place = fields.get("loc")
        if isinstance(place, list) and len(place) == 2 and place[0] == "body":
            return str(place[1])
    return ""
