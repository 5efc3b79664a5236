"""Errors of a chat-completions server: one reader of all forms (`error_json`), with meanings (`server_sayings`).

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from blpo.models.error_json import error_codes, error_object, error_texts, plain_code, refused_field, wrapped_message
from blpo.models.server_sayings import ErrorMeaning, meaning_of

_BROKEN_OFF = re.compile(
    r"error|abort|cancel|interrupt|insufficient_system|time.?out|timed.?out|unavailable|overload|disconnect|fail", re.I
)
"""Finish reasons of an answer that failed on the way. The status is 200 all the same."""
_CUT_OFF = re.compile(r".*(?:length|max[a-z]{0,12}tokens?|tokens?limit|contextwindow|errorlimit).*")
"""Finish reasons of an answer cut off, by all vendors, as plain codes."""

_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_MOST_READ = 65_536
"""Bytes of an error reply that are read."""
_MOST_WORDS = 4000
"""Characters of an error reply that are compared with the table."""
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
    is_page: bool = False
    """True for a web page, as proxies and firewalls send: only the status counts."""

    @property
    def meaning(self) -> ErrorMeaning | None:
        """Meaning by the table; None for words never seen."""
        return meaning_of(self.status, self.codes, self.words)

    @property
    def words(self) -> str:
        """Texts with a meaning; none of a page."""
        return "" if self.is_page else (self.other_words or self.message)[:_MOST_WORDS]


def read_error(status: int, body: bytes) -> ErrorReply:
    """Read the error reply in `body`: objects, lists and texts of all vendors."""
    text = body[:_MOST_READ].decode("utf-8", "replace")
    try:
        return _read_json_error(status, text)
    except (ValueError, RecursionError):
        return ErrorReply(status, " ".join(text.split()), is_page=_PAGE.match(text) is not None)


def _read_json_error(status: int, text: str) -> ErrorReply:
    content = json.loads(text)
    error = error_object(content)
    message = error.get("message")
    codes = frozenset(error_codes(content))
    parameter = str(error.get("param") or refused_field(content))
    if isinstance(message, str) and message:
        wrapped = wrapped_message(content)
        return ErrorReply(status, message if wrapped in message else f"{message}: {wrapped}", True, codes, parameter)
    return ErrorReply(status, " ".join(text.split()), False, codes, parameter, " ".join(error_texts(content)) or " ")


def error_of(error: Exception) -> ErrorReply:
    """Read the error reply behind an exception of a client; an exception without a reply gives its own words."""
    status, body = getattr(error, "status_code", None), error_body(error)
    code, parameter = str(getattr(error, "code", None) or ""), str(getattr(error, "param", None) or "")
    number = status if isinstance(status, int) else 0
    if not body:
        return ErrorReply(
            number, str(error)[:_MOST_READ], bool(str(error)), frozenset(plain_code(c) for c in (code,) if c), parameter
        )
    return read_error(number, body)


def error_body(error: Exception) -> bytes:
    """Return the body of the reply behind an exception of a client; no bytes without a reply."""
    body = getattr(error, "body_bytes", None)
    if body is None:
        try:
            body = getattr(getattr(error, "response", None), "content", None)
        except RuntimeError:  # the body was never read
            body = None
    return body if isinstance(body, bytes) else b""


def may_refuse_schema(error: Exception, *, is_known: bool) -> bool:
    """Return True if an error may be a refusal of the request's schema.

    `is_known` is true if the server has answered a request with a schema: then only words about schemas count.
    """
    reply = error_of(error)
    if reply.meaning == "schema":
        status = reply.status or getattr(error, "inner_status", 0)  # an error inside a reply with status 200
        return status in (400, 403, 404, 405, 406, 415, 422, 500, 501)
    if is_known or not 400 <= reply.status < 500:
        return False
    return reply.meaning is None and reply.status not in _NOT_BY_SCHEMA


@lru_cache(maxsize=64)  # every answer has a finish reason, and few differ
def is_filter_word(finish_reason: str) -> bool:
    """Return True if a finish reason says that a filter or the model declined: `content_filter`, `SAFETY` ..."""
    return ErrorReply(0, codes=frozenset({plain_code(finish_reason)})).meaning == "refused"


def declines(choice: object) -> bool:
    """Return True if the fields of a choice without text say that a filter declined, whatever the finish reason."""
    return ErrorReply(0, codes=frozenset(error_codes(choice))).meaning == "refused"


@lru_cache(maxsize=64)
def is_cut_off(finish_reason: str) -> bool:
    """Return True if a finish reason says that the answer is cut off: `length`, `MAX_TOKENS`, `model_length` ..."""
    return _CUT_OFF.fullmatch(plain_code(finish_reason)) is not None


def is_broken_off(finish_reason: str) -> bool:
    """Return True if a finish reason says that the answer failed on the way: `error`, `abort` ..."""
    return (
        bool(_BROKEN_OFF.search(finish_reason)) and not is_filter_word(finish_reason) and not is_cut_off(finish_reason)
    )
