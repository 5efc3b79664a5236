"""How probable the model holds each label, read from the log-probabilities of the token in which the label begins.

A calibrated score at the cost of no further token. The probabilities of the alternatives at that place are added up by
the label that each begins, and divided by their sum: labels that begin alike can't be told apart there.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

MOST_ALTERNATIVES = 20
"""Tokens at each place whose log-probabilities are asked for: the most that vendors and vLLM give."""

_LABEL_IN_JSON = re.compile(r'"label"\s*:\s*"?')


def label_scores(logprobs: object, labels: Sequence[str]) -> dict[str, float] | None:
    """Probabilities of `labels`, summing to 1, from a choice's `logprobs`; None where it does not tell.

    That is where two labels begin with the same token, where the answer names no label, and where the server sent no
    alternatives.
    """
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(tokens, list) or not all(isinstance(token, Mapping) for token in tokens):
        return None
    token = _label_token(tokens, labels)
    alternatives = token.get("top_logprobs") if token else None
    if not isinstance(alternatives, list):
        return None
    weights = dict.fromkeys(labels, 0.0)
    for alternative in alternatives:
        shown: Mapping[str, Any] = alternative if isinstance(alternative, Mapping) else {}
        begun, logprob = _begun(str(shown.get("token", "")), labels), shown.get("logprob")
        if len(begun) > 1:
            return None
        if begun and isinstance(logprob, int | float):
            weights[begun[0]] += math.exp(min(0.0, logprob))
    total = sum(weights.values())
    return {label: weight / total for label, weight in weights.items()} if total > 0 else None


def _label_token(tokens: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Mapping[str, Any] | None:
    """The token in which the label begins: of the last `"label":` in JSON, or of a bare label."""
    texts = [str(token.get("token", "")) for token in tokens]
    text = "".join(texts)
    found = list(_LABEL_IN_JSON.finditer(text))
    start = found[-1].end() if found else len(text) - len(text.lstrip()) if text.strip() in labels else None
    if start is None:
        return None
    position = 0
    for token, part in zip(tokens, texts, strict=True):
        position += len(part)
        if position > start and part.strip(' "'):
            return token
    return None


def _begun(token: str, labels: Sequence[str]) -> list[str]:
    """The labels that may begin with this token."""
    start = token.rpartition(":")[2].lstrip(' "').rstrip('"} \n')
    if start in labels:
        return [start]
    return [label for label in labels if start and label.startswith(start)]
