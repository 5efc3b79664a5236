"""What a chat-completions server replies: an answer, or an error."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage

from blpo.models.server_errors import error_in


class ServerError(ModelError):
    """The server answered with an error: `status_code`, and what its JSON says of `code` and `param`."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        error = error_in(body)
        message = error.get("message")
        super().__init__(f"Error code: {status}" + (f" - {message}" if isinstance(message, str) and message else ""))
        self.status_code = status
        self.code, self.param = error.get("code"), error.get("param")
        self.headers = headers


def answer_in(body: bytes, model: str) -> AIMessage:
    """Read a chat completion; raises `ValueError` for anything else."""
    try:
        reply = json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(reply, dict) or reply.get("error") or not reply.get("choices"):
        raise ValueError((reply.get("error") if isinstance(reply, dict) else None) or "it has no choices")
    choice = reply["choices"][0]
    said = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(said, dict) or not isinstance(said.get("content") or "", str | list):
        raise ValueError("its first choice has no message")
    return AIMessage(
        content=said.get("content") or "",
        additional_kwargs={"refusal": said["refusal"]} if said.get("refusal") else {},
        usage_metadata=_usage(reply.get("usage")),
        response_metadata={
            "finish_reason": choice.get("finish_reason"),
            "model_name": reply.get("model", model),
            "logprobs": choice.get("logprobs"),
        },
    )


def _usage(usage: Any) -> Any:
    """LangChain's form of the token counts; None where the server gives none."""
    if not isinstance(usage, dict) or not usage:
        return None
    asked, answered = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {
        "input_tokens": asked,
        "output_tokens": answered,
        "total_tokens": usage.get("total_tokens") or asked + answered,
    }
