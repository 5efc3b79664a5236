"""Probabilities of the labels, from the log-probabilities of the first token of the label.

A calibrated score at the cost of no further token. The probabilities of the alternative tokens are added up by label
and divided by the sum. Labels with the same first token can't be told apart.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

MOST_ALTERNATIVES = 20
"""Alternatives requested for each token: the most that vendors and vLLM give."""

_LABEL_IN_JSON = re.compile(r'"label"\s*:\s*"?')


def label_scores(logprobs: object, labels: Sequence[str]) -> dict[str, float] | None:
    """Return the probabilities of `labels`, with the sum 1, from a choice's `logprobs`; None if unknown.

    The probabilities are unknown if two labels begin with the same token, if the answer names no label, and if the
    server sent no alternatives.
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
        fields: Mapping[str, Any] = alternative if isinstance(alternative, Mapping) else {}
        candidates, logprob = _labels_beginning_with(str(fields.get("token", "")), labels), fields.get("logprob")
        if len(candidates) > 1:
            return None
        if candidates and isinstance(logprob, int | float):
            weights[candidates[0]] += math.exp(min(0.0, logprob))
    total = sum(weights.values())
    return {label: weight / total for label, weight in weights.items()} if total > 0 else None


def _label_token(tokens: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Mapping[str, Any] | None:
    """Return the first token of the label: after the last `"label":` in JSON, or of a bare label."""
    texts = [str(token.get("token", "")) for token in tokens]
    text = "".join(texts)
    matches = list(_LABEL_IN_JSON.finditer(text))
    start = matches[-1].end() if matches else len(text) - len(text.lstrip()) if text.strip() in labels else None
    if start is None:
        return None
    position = 0
    for token, part in zip(tokens, texts, strict=True):
        position += len(part)
        if position > start and part.strip(' "'):
            return token
    return None


def _labels_beginning_with(token: str, labels: Sequence[str]) -> list[str]:
    start = token.rpartition(":")[2].lstrip(' "').rstrip('"} \n')
    if start in labels:
        return [start]
    return [label for label in labels if start and label.startswith(start)]
