"""What comes back from a model: an answer, or a failure. Both are values; neither is ever mistaken for a label."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blpo.models.label_scores import label_scores
from blpo.models.messages import Message
from blpo.models.secret_masking import without_keys
from state.response import Response

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

_CHARACTERS_A_TOKEN = 4


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


def _tokens(*parts: object) -> int:
    return sum(-(-len(part) // _CHARACTERS_A_TOKEN) for part in parts if isinstance(part, str))
