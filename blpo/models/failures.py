"""Outcomes of exceptions of models: a retry, a failure of the request, a refusal, or the end of the run.

| event | outcome |
|---|---|
| 408, 409, 429, 5xx, time-out, lost connection | a retry, and after all retries `Failure` |
| an unreadable reply, an error inside a reply | the same |
| 402, and 429 for want of quota | `Failure` at once |
| a content filter or moderation, in the words of any vendor | a refusal: a `Response` |
| a prompt that is too long, an image that is too large or bad, further 4xx | `Failure` of the request at once |
| a redirect, 401, 407, a certificate that is not trusted | `ModelError`: no request can succeed |
| 403 for a key, 404, an unknown parameter, a model without vision | `ModelError`; after a first answer `Failure` |
| more images than the server takes in a request | the same |

`blpo.models.server_errors` reads the server's words. The outcome of words never seen follows from the status code and
from LangChain's own classes, so the table holds for any provider. `blpo.models.rejections` ends a run whose every
request gets the same 4xx.
"""

import re
from dataclasses import dataclass

from langchain_core import exceptions as langchain

from blpo.models.certificate_errors import refuse_certificate
from blpo.models.retry_headers import headers_of, retry_after
from blpo.models.secret_masking import excerpt, one_line
from blpo.models.sentences import sentence
from blpo.models.server_address import at_address, lacks_version, version_hint
from blpo.models.server_errors import ErrorReply, error_of, read_error
from state.errors import ModelError
from state.response import Failure, FailureKind, Response
from state.settings import ModelSettings

_BUSY = (429, 503, 529)
KEY_WORDS = re.compile(
    r"\bkeys?\b|api.?key|credential|token|\bauth|unauthori|permission|forbidden|access|denied|not allowed|account"
    r"|subscription|region|country|license",
    re.I,
)
"""Words of a 403 that concerns the key, not the request."""
_NOT_KNOWN = re.compile(
    r"unsupported|(?:not|n't) support|not permitted|forbidden|unknown|unrecogni[sz]ed|unexpected|not allowed|no such"
    r"|extra (?:input|field)|deprecated|invalid (?:param|field|argument)|not (?:a )?(?:valid|known)",
    re.I,
)
"""Words for a parameter unknown to the server."""
_NOT_AN_ANSWER = (ValueError, KeyError, TypeError, IndexError, RecursionError)
"""Exceptions of LangChain for a reply without JSON or choices, or nested too deeply."""
_MAX_TOKENS = "max_tokens_parameter or max_tokens"
_SETTINGS = {
    "model": "name",
    "temperature": "temperature (null: not sent)",
    "max_tokens": _MAX_TOKENS,
    "max_completion_tokens": _MAX_TOKENS,
    "reasoning_effort": "reasoning_effort",
    "top_logprobs": "logprobs",
    "logprobs": "logprobs",
    "response_format": "structured_output",
    "structured_outputs": "structured_output",
    "uuid": "image_uuids",
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
    if meaning == "quota" and status in (402, 429):
        return Failure("quota", detail)
    if meaning == "refused":
        return Response(text=detail, refused=True, finish_reason="content_filter")
    advice = _advice(reply, settings, headers_of(error).get("location"))
    if advice and (status in (401, 407) or status < 400 or not has_answered):
        raise ModelError(f"{sentence(detail)} {advice}")
    if status in (408, 409, 429) or status >= 500:
        kind: FailureKind = {408: "timeout", 429: "rate_limit"}.get(status, "server")  # type: ignore[assignment]
        return Transient(Failure(kind, detail), retry_after(error), status in _BUSY)
    if meaning == "too_long" or meaning == "too_large":
        return Failure(meaning, detail)
    return Failure("rejected", detail)


def _advice(reply: ErrorReply, settings: ModelSettings, location: str | None) -> str | None:
    """Return the remedy if by this error no request can succeed; else None."""
    status = reply.status
    if status < 400:
        target = f" to {one_line(location)}" if location else ""
        return f"The server redirects{target}, which is not followed: set base_url to where it is to go"
    if status == 407:
        return "The proxy wants other credentials: check user and password in HTTPS_PROXY or HTTP_PROXY"
    if reply.meaning == "blind":
        return "The model can't see images: name a model with vision, or start the server with its vision part"
    if reply.meaning == "few_images" and status in (400, 422):
        return (
            "The server takes fewer images a request: start the server with more (vLLM: --limit-mm-per-prompt"
            """ '{"image": 2}'), or name another model"""
        )
    if status == 404:
        hint = f"; {version_hint(settings.base_url)}" if settings.base_url and lacks_version(settings.base_url) else ""
        return f"Check name and base_url: there is no such model{at_address(settings)}{hint}"
    concerns_key = reply.meaning == "account" or not reply.message or KEY_WORDS.search(reply.message)
    if status == 401 or (status == 403 and concerns_key):
        return f"Check the key in the environment for {settings.name.partition(':')[0]}: models"
    parameter = _parameter(reply)
    if (
        status in (400, 422)
        and parameter is not None
        and reply.meaning not in ("schema", "too_long", "too_large", "image")
    ):
        return f"The server refuses a parameter: change models.ROLE.{_SETTINGS[parameter]}"
    return None


def _parameter(reply: ErrorReply) -> str | None:
    """Return the refused parameter: by its field, or by its name in words for an unknown parameter."""
    if reply.parameter in _SETTINGS:
        return reply.parameter
    if not _NOT_KNOWN.search(reply.message):
        return None
    return next((name for name in _SETTINGS if "_" in name and re.search(rf"\b{name}\b", reply.message)), None)


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
