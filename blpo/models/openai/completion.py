"""Replies of a chat-completions server: a completion, or an error."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage

from blpo.models.server_errors import error_in


class ServerError(ModelError):
    """An error reply: `status_code`, and `code` and `param` of the JSON."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        error = error_in(body)
        message = error.get("message")
        super().__init__(f"Error code: {status}" + (f" - {message}" if isinstance(message, str) and message else ""))
        self.status_code = status
        self.code, self.param = error.get("code"), error.get("param")
        self.headers = headers


def completion_message(body: bytes, model: str) -> AIMessage:
    """Read the first message of a chat completion; raises `ValueError` if the body is no chat completion."""
    try:
        reply = json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(reply, dict) or reply.get("error") or not reply.get("choices"):
        raise ValueError((reply.get("error") if isinstance(reply, dict) else None) or "it has no choices")
    choice = reply["choices"][0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("content") or "", str | list):
        raise ValueError("its first choice has no message")
    return AIMessage(
        content=message.get("content") or "",
        additional_kwargs={"refusal": message["refusal"]} if message.get("refusal") else {},
        usage_metadata=_usage_metadata(reply.get("usage")),
        response_metadata={
            "finish_reason": choice.get("finish_reason"),
            "model_name": reply.get("model", model),
            "logprobs": choice.get("logprobs"),
        },
    )


def _usage_metadata(usage: Any) -> Any:
    """Return the token counts in LangChain's form; None if the server gives no counts."""
    if not isinstance(usage, dict) or not usage:
        return None
    input_tokens, output_tokens = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": usage.get("total_tokens") or input_tokens + output_tokens,
    }
