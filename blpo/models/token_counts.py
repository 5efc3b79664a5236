"""Token counts of a reply: names of several vendors, and the check of impossible counts.

A missing, negative or fractional count is unknown, and estimated later, so no reply gives budget back. A count above
all contexts makes the reply malformed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INPUT = ("prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount", "inputTokens")
_OUTPUT = ("completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount", "outputTokens")
_CACHED = (("prompt_tokens_details", "cached_tokens"), ("input_token_details", "cache_read"))
"""Places of the tokens from a prefix cache: in replies of OpenAI, vLLM and llama.cpp, and in LangChain's form."""
_MOST = 100_000_000
"""Tokens; no model reads or writes as many in a call."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Counts of a reply; None: no readable count."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int
    """Part of the input tokens from the server's prefix cache; 0 without a possible count."""


def token_counts(usage: Mapping[str, Any]) -> TokenCounts:
    """Read the counts in a reply's `usage`. No request has 0 tokens; a reply may have 0.

    Raises `ValueError` for a count above the contexts of all models.
    """
    for name in (*_INPUT, *_OUTPUT):
        value = usage.get(name)
        if isinstance(value, int | float) and value > _MOST:
            raise ValueError(f"its usage can't be true: {name} is above {_MOST}")
    input_tokens = _count(usage, _INPUT, least=1)
    details = ((usage.get(place), name) for place, name in _CACHED)
    cached = (_count(fields, (name,), least=0) for fields, name in details if isinstance(fields, Mapping))
    possible = (count for count in cached if count is not None and count <= (input_tokens or 0))
    return TokenCounts(input_tokens, _count(usage, _OUTPUT, least=0), next(possible, 0))


def _count(usage: Mapping[str, Any], names: tuple[str, ...], least: int) -> int | None:
    for name in names:
        value = usage.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST:
            return value
    return None
