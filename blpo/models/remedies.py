"""Remedies for errors by which no request to a model can succeed: key, address, parameters, vision."""

import re

from blpo.models.secret_masking import one_line
from blpo.models.server_address import at_address, lacks_version, version_hint
from blpo.models.server_errors import ErrorReply
from state.settings import ModelSettings

KEY_WORDS = re.compile(
    r"\bkeys?\b|api.?key|credential|token|\bauth|unauthori|permission|forbidden|access|denied|not allowed|account"
    r"|subscription|region|country|license",
    re.I,
)
"""Words of a 403 that may concern the key, not the request."""
_SURE_KEY_WORDS = re.compile(
    r"\bkeys?\b|credential|unauthori|authenti|permission|subscription|license|not have access|\baccount"
    r"|organi[sz]ation",
    re.I,
)
"""Words of a 403 that concerns the key of all requests."""
_NOT_KNOWN = re.compile(
    r"unsupported|(?:not|n't) support|not permitted|forbidden|unknown|unrecogni[sz]ed|unexpected|not allowed|no such"
    r"|extra (?:input|field)|extraneous|deprecated|not (?:enabled|available|accept)|invalid (?:param|field|argument)"
    r"|not (?:a )?(?:valid|known)",
    re.I,
)
"""Words for a parameter unknown to the server."""
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
_SETTINGS_IN_WORDS = tuple(name for name in _SETTINGS if "_" in name or name in ("temperature", "logprobs"))
"""Parameters with names that no sentence has by chance."""


def remedy(reply: ErrorReply, settings: ModelSettings, location: str | None) -> str | None:
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
    is_account = reply.meaning == "account" and status in (400, 403)
    if status == 401 or is_account or (status == 403 and _SURE_KEY_WORDS.search(reply.words)):
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
    return next((name for name in _SETTINGS_IN_WORDS if _names(reply.message, name)), None)


def _names(words: str, parameter: str) -> bool:
    return re.search(rf"\b{parameter.replace('_', '_?')}\b", words, re.I) is not None  # also reasoningEffort
