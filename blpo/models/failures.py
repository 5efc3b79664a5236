"""Outcomes of exceptions of models: a retry, a failure of the request, a refusal, or the end of the run.

| event | outcome |
|---|---|
| 408, 409, 429, 5xx, time-out, lost connection | a retry, and after all retries `Failure` |
| an unreadable reply, an error inside a reply | the same |
| 402, and 400, 403 or 429 for want of money | `Failure` at once |
| a content filter or moderation, in the words of any vendor | a refusal: a `Response` |
| a prompt that is too long, an image that is too large or bad, further 4xx | `Failure` of the request at once |
| a redirect, 401, 407, a certificate that is not trusted | `ModelError`: no request can succeed |
| 400 or 403 for a key, 404, an unknown parameter, no vision | `ModelError`; after a first answer `Failure` |
| more images than the server takes in a request | the same |

`blpo.models.server_errors` reads the server's words. The outcome of words never seen follows from the status code and
from LangChain's own classes, so the table holds for any provider. `blpo.models.rejections` ends a run whose every
request gets the same 4xx.
"""

from dataclasses import dataclass

from langchain_core import exceptions as langchain

from blpo.models.certificate_errors import refuse_certificate
from blpo.models.remedies import remedy
from blpo.models.retry_after import headers_of, retry_after
from blpo.models.secret_masking import excerpt, one_line
from blpo.models.sentences import sentence
from blpo.models.server_errors import ErrorReply, error_of, read_error
from state.errors import ModelError
from state.response import Failure, FailureKind, Response
from state.settings import ModelSettings

_BUSY = (429, 503, 529)
_NOT_AN_ANSWER = (ValueError, KeyError, TypeError, IndexError, RecursionError)
"""Exceptions of LangChain for a reply without JSON or choices, or nested too deeply."""


@dataclass(frozen=True, slots=True)
class Transient:
    """A failure that may pass."""

    failure: Failure
    wait: float | None
    """Wait in seconds, as the server asked; None: the server did not say."""
    busy: bool = False
    """True if the server is overloaded, and should get fewer requests."""


def outcome_of(
    error: Exception, settings: ModelSettings, *, has_answered: bool = False
) -> Transient | Failure | Response | None:
    """Return the outcome of an `error` of the model of `settings`; None if the error is a fault of our code.

    `has_answered` is true if the model has answered a request: then most refusals belong to the request alone. Raises
    `ModelError` if no request to the model can succeed; its message names settings as `models.ROLE.name`.
    """
    reply = error_of(error)
    detail = _detail(error, reply, settings)
    if isinstance(error, langchain.ContextOverflowError):
        return Failure("too_long", detail)
    if reply.status >= 300:
        return _outcome_of_status(error, reply, detail, settings, has_answered)
    inner_status = getattr(error, "inner_status", None)
    if inner_status is not None:
        return _outcome_in_completion(read_error(inner_status, error.body_bytes), detail)  # type: ignore[attr-defined]
    refuse_certificate(error, settings)
    return _outcome_without_status(error, detail, settings)


def _detail(error: Exception, reply: ErrorReply, settings: ModelSettings) -> str:
    words = reply.message if reply.has_message else excerpt(reply.message)
    if reply.status >= 300:
        words = "" if words == f"Error code: {reply.status}" else words  # of an empty body
        words = f"Error code: {reply.status}" + (f" - {words}" if words else "")
    return one_line(f"{settings.name}: {words or type(error).__name__}")


def _outcome_without_status(error: Exception, detail: str, settings: ModelSettings) -> Transient | None:
    kind = _kind_without_status(error)
    if kind is None and settings.name.startswith(("langchain:", "community:")):
        kind = "server"  # foreign packages have exceptions of their own
    if kind == "malformed":
        detail = one_line(f"{settings.name}: the reply is no chat completion ({error})")
    if kind == "connection" and settings.base_url:
        detail = f"{sentence(detail)} Is a server running at {one_line(settings.base_url)}?"
    return None if kind is None else Transient(Failure(kind, detail), None)


def _outcome_in_completion(reply: ErrorReply, detail: str) -> Transient | Response:
    if reply.meaning == "refused":
        return Response(text=detail, refused=True, finish_reason="content_filter")
    busy = reply.status == 429
    return Transient(Failure("rate_limit" if busy else "server", detail), None, busy)


def _outcome_of_status(
    error: Exception, reply: ErrorReply, detail: str, settings: ModelSettings, has_answered: bool
) -> Transient | Failure | Response:
    status, meaning = reply.status, reply.meaning
    wait = retry_after(error)
    if _wants_money(reply, wait):
        return Failure("quota", detail)
    if meaning == "refused":
        return Response(text=detail, refused=True, finish_reason="content_filter")
    advice = remedy(reply, settings, headers_of(error).get("location"))
    if advice and (status in (401, 407) or status < 400 or not has_answered):
        raise ModelError(f"{sentence(detail)} {advice}")
    if status in (408, 409, 429) or status >= 500:
        kind: FailureKind = {408: "timeout", 429: "rate_limit"}.get(status, "server")  # type: ignore[assignment]
        return Transient(Failure(kind, detail), wait, status in _BUSY)
    if meaning == "too_long" or meaning == "too_large":
        return Failure(meaning, detail)
    return Failure("rejected", detail)


def _wants_money(reply: ErrorReply, wait: float | None) -> bool:
    """Return True for an empty account. A 429 with a wait is a limit of the rate, whatever the words."""
    if reply.status == 429 and wait is not None and "insufficientquota" not in reply.codes:
        return False
    return (reply.meaning == "quota" and reply.status in (400, 402, 403, 429)) or (
        reply.meaning == "account" and reply.status == 429
    )


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
