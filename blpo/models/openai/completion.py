"""Replies of a chat-completions server: a completion, or an error."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage

from blpo.models.openai.deferred_alternatives import parse_completion
from blpo.models.secret_masking import excerpt
from blpo.models.server_errors import declines, is_broken_off, is_cut_off, is_filter_word, read_error
from blpo.models.token_counts import token_counts


class ServerError(ModelError):
    """An error reply with a status."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        error = read_error(status, body)
        words = error.message if error.has_message else excerpt(error.message)
        super().__init__(f"Error code: {status}" + (f" - {words}" if words else ""))
        self.status_code = status
        self.param = error.parameter
        self.body_bytes = body
        self.headers = headers


class ErrorInCompletion(ModelError):
    """An error inside a reply with status 200."""

    def __init__(self, error: object) -> None:
        self.body_bytes = json.dumps(error).encode()
        fields: Mapping[str, Any] = error if isinstance(error, dict) else {}
        code = fields.get("code")
        self.inner_status = code if isinstance(code, int) and 400 <= code <= 599 else 400
        words = read_error(self.inner_status, self.body_bytes)
        super().__init__(words.message if words.has_message else excerpt(words.message))


def completion_message(body: bytes, model: str) -> AIMessage:
    """Read the first message of a chat completion; raises `ValueError` and `ErrorInCompletion`."""
    try:
        reply = parse_completion(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        text = excerpt(body.decode("utf-8", "replace"))
        streamed = "it is streamed: " if text.startswith(("data:", "event:")) else ""
        raise ValueError(f"{streamed}{text}" if text else "it is empty") from error
    return message_of(reply, model)


def message_of(reply: Any, model: str) -> AIMessage:
    """Return the first message of a parsed reply; raises `ValueError` and `ErrorInCompletion`."""
    if not isinstance(reply, dict):
        raise ValueError(excerpt(str(reply)))
    choices = reply.get("choices")
    if reply.get("error") or not choices:
        raise _failure(reply)
    choice = choices[0] if isinstance(choices, list) else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if isinstance(choice, dict) and choice.get("error"):
        raise ErrorInCompletion(choice["error"])
    if isinstance(choice, dict) and is_broken_off(str(choice.get("finish_reason") or "")):
        raise ErrorInCompletion(f"the answer broke off, finish_reason {choice['finish_reason']}")
    if message is None and isinstance(choice, dict) and _has_no_text(str(choice.get("finish_reason"))):
        message = {}
    content = _content(message) if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(content, str | list):
        raise ValueError("its first choice has no message")
    if not content and message.get("error"):
        raise ErrorInCompletion(message["error"])
    finish_reason = choice.get("finish_reason")  # type: ignore[union-attr] # a dict, as it has a message
    if not content and not message.get("refusal") and not is_filter_word(str(finish_reason)) and declines(choice):
        finish_reason = "content_filter"
    return AIMessage(
        content=content,
        additional_kwargs={"refusal": message["refusal"]} if message.get("refusal") else {},
        usage_metadata=_usage_metadata(reply.get("usage")),
        response_metadata={
            "finish_reason": finish_reason,
            "model_name": reply.get("model", model),
            "logprobs": choice.get("logprobs"),  # type: ignore[union-attr] # a dict, as it has a message
        },
    )


def _has_no_text(finish_reason: str) -> bool:
    """Return True if an answer that ended so may come without a message: declined, or cut off inside a thought."""
    return is_filter_word(finish_reason) or is_cut_off(finish_reason)


def _content(message: Mapping[str, Any]) -> Any:
    """Return the content of a message; an object, as some servers parse the answer, becomes text again.

    Gateways turn a schema into a tool for vendors without schemas; then the arguments of the tool are the answer.
    """
    content = message.get("content")
    if isinstance(content, dict):
        return content["text"] if isinstance(content.get("text"), str) else json.dumps(content, ensure_ascii=False)
    return content or _tool_arguments(message.get("tool_calls")) or ""


def _tool_arguments(calls: Any) -> str:
    function = calls[0].get("function") if isinstance(calls, list) and calls and isinstance(calls[0], dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return arguments if isinstance(arguments, str) else json.dumps(arguments) if isinstance(arguments, dict) else ""


def _failure(reply: dict[str, Any]) -> Exception:
    """Return the exception for a reply without an answer."""
    if reply.get("error"):
        return ErrorInCompletion(reply["error"])
    error = read_error(400, json.dumps(reply).encode())
    if error.has_message or error.meaning == "refused":
        return ErrorInCompletion(reply)
    return ValueError(f"it has no choices: {excerpt(error.message)}")


def _usage_metadata(usage: object) -> Any:
    """Return the token counts in LangChain's form; None if the server gives no count; 0 for an unknown count."""
    if not isinstance(usage, dict) or not usage:
        return None
    counts = token_counts(usage)
    return {
        "input_tokens": counts.input_tokens or 0,
        "output_tokens": counts.output_tokens or 0,
        "total_tokens": (counts.input_tokens or 0) + (counts.output_tokens or 0),
        "input_token_details": {"cache_read": counts.cached_tokens},
    }
