"""Read the reply of a LangChain chat model as a response."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blpo.models.label_scores import label_scores
from blpo.models.messages import Message
from blpo.models.secret_masking import without_keys
from blpo.models.server_errors import is_filter_word
from blpo.models.token_counts import token_counts
from state.response import Response

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

_CHARACTERS_A_TOKEN = 4
_LONGEST_NAME = 200
"""Characters of a finish reason or of a model's version."""


def read_reply(reply: "AIMessage", messages: Sequence[Message], labels: Sequence[str] = ()) -> Response:
    """Return the reply to `messages` as a response, with the probability of every label if the reply tells.

    All texts are without the request's keys, and clean (`blpo.models.foreign_text`). Tokens are estimated if the server
    gives no count, or no count that can be read. Raises `ValueError` for a count that can't be true.
    """
    refusal = reply.additional_kwargs.get("refusal")
    finish_reason = without_keys(str(reply.response_metadata.get("finish_reason") or "stop"))[:_LONGEST_NAME]
    filtered = is_filter_word(finish_reason)
    text = without_keys(str(refusal or reply.text))
    counts = token_counts(reply.usage_metadata or {})
    output_tokens = counts.output_tokens if counts.output_tokens or not text else None
    return Response(
        text=text or (f"declined by a filter, finish_reason {finish_reason}" if filtered else ""),
        refused=bool(refusal) or filtered,
        finish_reason=finish_reason,
        input_tokens=counts.input_tokens or _estimated_tokens(*(p for m in messages for p in m.parts)),
        output_tokens=_estimated_tokens(text) if output_tokens is None else output_tokens,
        model_version=without_keys(str(reply.response_metadata.get("model_name") or ""))[:_LONGEST_NAME],
        scores=tuple((label_scores(reply.response_metadata.get("logprobs"), labels) or {}).items()) if labels else (),
        cached_tokens=counts.cached_tokens,
    )


def _estimated_tokens(*parts: object) -> int:
    """Return the tokens of the texts among the parts, at four characters a token."""
    return sum(-(-len(part) // _CHARACTERS_A_TOKEN) for part in parts if isinstance(part, str))
