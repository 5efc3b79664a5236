"""Outcomes of exceptions of models: a retry, a failure of the request, a refusal, or the end of the run.

| event | outcome |
|---|---|
| 408, 409, 429, 5xx, time-out, lost connection, an unreadable reply | a retry, and after all retries `Failure` |
| 429 for want of quota | `Failure` at once |
| 400 by a content filter | a refusal: a `Response` |
| a prompt that is too long, an image that is too large or bad, further 4xx | `Failure` of the request at once |
| a redirect, 401, 403, 404, 407, an unknown parameter | `ModelError`: no request can succeed |

The outcome follows from the status code and from LangChain's own classes, so the table holds for any provider.
"""

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core import exceptions as langchain

from blpo.models.secret_masking import one_line
from blpo.models.server_errors import error_words
from state.errors import ModelError
from state.response import Failure, FailureKind, Response
from state.settings import ModelSettings

_BUSY = (429, 503, 529)
_FILTERS = ("content_filter", "content_policy_violation", "moderation_blocked")
_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|context ?window|longer than the maximum model length"
    r"|prompt is too long|input tokens exceed",
    re.I,
)
"""Words of a 400 for too long a prompt."""
_TOO_LARGE = re.compile(
    r"\b(?:image|payload|body|entity|file)s?\b.{0,80}?(?:too large|too big|exceed|larger than)", re.I
)
"""Words of a 400 in place of a 413."""
_NOT_AN_ANSWER = (ValueError, KeyError, TypeError, IndexError)
"""Exceptions of LangChain for a reply without JSON or choices."""
_SETTINGS = {
    "model": "name",
    "temperature": "temperature (null: not sent)",
    "max_tokens": "max_tokens_parameter or max_tokens",
    "max_completion_tokens": "max_tokens_parameter or max_tokens",
    "reasoning_effort": "reasoning_effort",
    "logprobs": "logprobs",
    "top_logprobs": "logprobs",
    "response_format": "structured_output",
}
"""Request parameters, and the corresponding settings of a model."""


@dataclass(frozen=True, slots=True)
class Transient:
    """A failure that may pass."""

    failure: Failure
    wait: float | None
    """Wait in seconds, as the server asked; None: the server did not say."""
    busy: bool = False
    """True if the server is overloaded, and should get fewer requests."""


def outcome_of(error: Exception, settings: ModelSettings) -> Transient | Failure | Response | None:
    """Return the outcome of an `error` of the model of `settings`; None if the error is a fault of our code.

    Raises `ModelError` if no request to the model can succeed.
    """
    status = getattr(error, "status_code", None)
    detail = one_line(f"{settings.name}: {error_words(error) or type(error).__name__}")
    if isinstance(error, langchain.ContextOverflowError):
        return Failure("too_long", detail)
    if isinstance(status, int) and status >= 300:
        return _outcome_of_status(error, status, detail, settings)
    kind = _kind_without_status(error)
    if kind is None and settings.name.startswith(("langchain:", "community:")):
        kind = "server"  # foreign packages have exceptions of their own
    if kind == "malformed":
        detail = one_line(f"{settings.name}: the reply is no chat completion ({error})")
    if kind == "connection" and settings.base_url:
        detail = one_line(f"{detail} Is a server running at {settings.base_url}?")
    return None if kind is None else Transient(Failure(kind, detail), None)


def _outcome_of_status(error: Any, status: int, detail: str, settings: ModelSettings) -> Transient | Failure | Response:
    code, parameter = str(getattr(error, "code", "")), str(getattr(error, "param", ""))
    if status == 429 and code == "insufficient_quota":
        return Failure("quota", detail)
    if status in (408, 409, 429) or status >= 500:
        kind: FailureKind = {408: "timeout", 429: "rate_limit"}.get(status, "server")  # type: ignore[assignment]
        return Transient(Failure(kind, detail), _retry_after(error), status in _BUSY)
    if status < 400 or status in (401, 403, 404, 407):
        raise ModelError(_advice(detail, status, settings, _headers(error).get("location")))
    if status == 400 and _TOO_LONG.search(f"{code} {detail}"):
        return Failure("too_long", detail)
    if status == 413 or _TOO_LARGE.search(detail):
        return Failure("too_large", detail)
    if code in _FILTERS:
        return Response(text=detail, refused=True, finish_reason="content_filter")
    if parameter in _SETTINGS and "image" not in code:
        raise ModelError(f"{detail}. The server refuses a parameter: change {_SETTINGS[parameter]} of this model")
    return Failure("rejected", detail)


def _advice(detail: str, status: int, settings: ModelSettings, location: str | None) -> str:
    if status < 400:
        target = f" to {one_line(location)}" if location else ""
        return f"{detail}. The server redirects{target}, which is not followed: set base_url to where it is to go"
    if status == 407:
        return f"{detail}. The proxy wants other credentials: check user and password in HTTPS_PROXY or HTTP_PROXY"
    if status == 404:
        address = f" at {one_line(settings.base_url)}" if settings.base_url else ""
        return f"{detail}. Check name and base_url: there is no such model{address}"
    return f"{detail}. Check the key in the environment for {settings.name.partition(':')[0]}: models"


def _kind_without_status(error: Exception) -> FailureKind | None:
    if isinstance(error, langchain.ModelTimeoutError | TimeoutError):
        return "timeout"
    if isinstance(error, langchain.ModelConnectionError | OSError):
        return "connection"
    if isinstance(error, langchain.ModelRateLimitError):
        return "rate_limit"
    if isinstance(error, langchain.ModelAPIError):
        return "server"
    has_status = hasattr(error, "status_code")  # 200, of an APIResponseValidationError
    return "malformed" if has_status or isinstance(error, _NOT_AN_ANSWER) else None


def _retry_after(error: Any) -> float | None:
    """Return the seconds to wait by the headers `retry-after-ms` and `Retry-After` (seconds, or a date)."""
    headers = _headers(error)
    seconds = _seconds(headers.get("retry-after-ms"), 1000)
    return seconds if seconds is not None else _seconds(headers.get("retry-after"), 1)


def _headers(error: Any) -> Mapping[str, str]:
    source = error if hasattr(error, "headers") else getattr(error, "response", None)
    return getattr(source, "headers", None) or {}


def _seconds(value: str | None, parts: int) -> float | None:
    """Return the seconds of a wait in `parts` of a second, or up to a date; else None."""
    try:
        return None if value is None else max(0.0, float(value) / parts)
    except ValueError:
        date = email.utils.parsedate_tz(value or "")
    try:
        return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())
    except (ValueError, OverflowError):  # no such date
        return None
