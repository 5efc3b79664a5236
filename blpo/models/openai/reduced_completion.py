"""Large completions without the fields that nobody reads.

ChatOpenAI builds a typed object for every choice and every alternative token, at 70 microseconds and a kilobyte each.
"""

import json
from sys import getsizeof
from typing import Any

from blpo.models.openai.deferred_alternatives import parse_completion
from blpo.models.openai.reply_body import UnreadableBodyError

_LARGE = 16_384
"""Bytes; shorter bodies stay as they are."""
_TOP = ("id", "object", "created", "model", "usage", "error")
_CHOICE = ("index", "finish_reason", "error")
_MESSAGE = ("role", "content", "refusal")
_LONGEST_TEXT = 1_048_576
"""Bytes of memory; ChatOpenAI holds several copies."""
_MOST_ALTERNATIVES = 50_000
"""Log-probabilities, of all tokens together: some seconds of work."""
_TOO_MANY = "it has too many log-probabilities for client: langchain; take client: lean"


def reduced_completion(body: bytes, *, logprobs: bool) -> bytes:
    """Return a large completion with its first choice alone; raises `UnreadableBodyError` if there is no choice."""
    if logprobs and body.count(b'"logprob"') > _MOST_ALTERNATIVES:  # known without a parse, which blocks the loop
        raise UnreadableBodyError(_TOO_MANY)
    try:
        reply = json.loads(body) if logprobs else parse_completion(body)
    except RecursionError:
        raise UnreadableBodyError("it is nested too deeply") from None
    except ValueError:
        if len(body) > _LARGE:  # the exception of the chat model would hold the whole body
            raise UnreadableBodyError("it is no JSON") from None
        return body  # the chat model words the fault
    if len(body) <= _LARGE:
        return body if _is_utf8(body) else json.dumps(reply).encode()
    if not isinstance(reply, dict):
        raise UnreadableBodyError("it has no choices")
    choices = reply.get("choices")
    choice = _reduced_choice(choices[0], logprobs) if isinstance(choices, list) and choices else None
    return json.dumps({**_selected(reply, _TOP), "choices": [] if choice is None else [choice]}).encode()


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode(json.detect_encoding(body))
    except UnicodeDecodeError:
        return False
    return True


def _reduced_choice(choice: Any, logprobs: bool) -> Any:
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise UnreadableBodyError("its first choice has no message")
    if getsizeof(str(choice["message"].get("content") or "")) > _LONGEST_TEXT:
        raise UnreadableBodyError("its text is too long for client: langchain; take client: lean")
    reduced = {**_selected(choice, _CHOICE), "message": _selected(choice["message"], _MESSAGE)}
    return {**reduced, "logprobs": _checked(choice.get("logprobs"))} if logprobs else reduced


def _checked(logprobs: Any) -> Any:
    """Return the log-probabilities; raises `UnreadableBodyError` for more than ChatOpenAI reads in some seconds."""
    text = json.dumps(logprobs)
    if text.count("{") > _MOST_ALTERNATIVES:
        raise UnreadableBodyError(_TOO_MANY)
    return logprobs


def _selected(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}
