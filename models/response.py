"""What comes back from a model: an answer, or a failure. Both are values; neither is ever mistaken for a label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from models.label_scores import label_scores
from models.messages import Message
from models.secrets import without_keys

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

_CHARACTERS_A_TOKEN = 4
_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_THINKING_OPENED_BEFORE = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was paid for: it is stored and served again, also where it can't be parsed or is a refusal."""

    text: str
    refused: bool = False
    """The model, or the server's filter, declined; `text` says so in its words."""
    finish_reason: str = "stop"
    """As the server says: `stop`, `length` (cut off), `content_filter` ..."""
    input_tokens: int = 0
    """As the server counts; estimated as four characters each (images as none) where it doesn't."""
    output_tokens: int = 0
    model_version: str = ""
    """The model that answered, by its own account."""
    scores: tuple[tuple[str, float], ...] = ()
    """(label, probability) for each label, where log-probabilities were asked for and tell; they add up to 1."""


FailureKind = Literal[
    "timeout", "connection", "rate_limit", "server", "malformed", "quota", "too_long", "too_large", "rejected"
]
"""The first five are transient and were retried; the others concern the one request and were not."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. It says nothing about the prompt, and it isn't stored: a resumed run asks again."""

    kind: FailureKind
    detail: str
    """One line, without secrets."""


def from_langchain(reply: "AIMessage", messages: Sequence[Message], labels: Sequence[str] = ()) -> Response:
    """Read a LangChain model's reply to `messages`; with `labels`, how probable each is, where the reply tells.

    Lone surrogates, which a JSON reply can hold and UTF-8 can't, become question marks, and NUL, which databases can't
    hold, U+FFFD.
    """
    refusal = reply.additional_kwargs.get("refusal")
    finish_reason = str(reply.response_metadata.get("finish_reason") or "stop")
    said = str(refusal or reply.text).encode("utf-8", "replace").decode("utf-8")
    text = without_keys(said.replace("\0", "�"))
    usage = reply.usage_metadata
    return Response(
        text=text,
        refused=bool(refusal) or finish_reason == "content_filter",
        finish_reason=finish_reason,
        input_tokens=usage["input_tokens"] if usage else _tokens(*(p for m in messages for p in m.parts)),
        output_tokens=usage["output_tokens"] if usage else _tokens(text),
        model_version=without_keys(str(reply.response_metadata.get("model_name") or "")),
        scores=tuple((label_scores(reply.response_metadata.get("logprobs"), labels) or {}).items()) if labels else (),
    )


def without_thinking(text: str) -> str:
    """Drop what a reasoning model thought aloud: `<think>` blocks, closed, cut off, or opened by the chat template."""
    return _THINKING_OPENED_BEFORE.sub("", _THINKING.sub("", text)).strip()


def _tokens(*parts: object) -> int:
    return sum(-(-len(part) // _CHARACTERS_A_TOKEN) for part in parts if isinstance(part, str))
