"""Probabilities of the labels, from the log-probabilities of the tokens of the label.

A calibrated score at the cost of no further token. The walk follows the label token by token: an alternative that only
one label can begin with gives its probability to this label. Text after the label does not count. If a likely
alternative fits several labels, the labels can't be told apart, and there are no scores.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

MOST_ALTERNATIVES = 20
"""Alternatives requested for each token: the most that vendors and vLLM give."""

_LABEL_IN_JSON = re.compile(r'"label"\s*:\s*"?')
_END = re.compile(r"""["'}\]\[,\s<]""")
"""Start of the text after a label: JSON, white space, a mark of the end of the turn, or nothing."""
_THOUGHT = re.compile(r"\A.*(?:</\w+>|▷|\[/\w+\]|<\|message\|>)", re.DOTALL)
_NEGLIGIBLE = 0.001
"""Share of the probability that may fit several labels."""

Alternatives = list[tuple[str, float]]
"""Tokens that the model might have written, with their probabilities."""


def label_scores(logprobs: object, labels: Sequence[str]) -> dict[str, float] | None:
    """Return the probabilities of `labels`, with the sum 1, from a choice's `logprobs`; None if unknown.

    The probabilities are unknown if the alternatives don't tell labels apart, if the answer names no label, and if the
    server sent no alternatives.
    """
    tokens = _tokens(logprobs)
    start = _label_start("".join(map(_text, tokens)), labels)
    if start is None:
        return None
    weights, unclear = _walk(_from(tokens, start), labels)
    total = sum(weights.values())
    if total <= 0 or unclear > _NEGLIGIBLE * total:
        return None
    return {label: weight / total for label, weight in weights.items()}


def _tokens(logprobs: object) -> list[Mapping[str, Any]]:
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return content if isinstance(content, list) and all(isinstance(token, Mapping) for token in content) else []


def _text(token: Mapping[str, Any]) -> str:
    return str(token.get("token", ""))


def _alternatives(token: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the alternatives of a token; the token itself too, if the server left the token out."""
    alternatives = token.get("top_logprobs")
    fields = [each for each in alternatives if isinstance(each, Mapping)] if isinstance(alternatives, Sequence) else []
    if fields and all(each.get("token") != token.get("token") for each in fields):
        fields.append(token)
    for alternative in fields:
        logprob = alternative.get("logprob")
        if isinstance(logprob, int | float) and not math.isnan(logprob) and logprob > -1e4:
            yield _text(alternative), math.exp(min(0.0, logprob))


def _label_start(text: str, labels: Sequence[str]) -> int | None:
    """Return the place of the label in an answer: after the last `"label":` in JSON, or of a bare label."""
    matches = list(_LABEL_IN_JSON.finditer(text))
    if matches:
        return matches[-1].end()
    thought = _THOUGHT.match(text)
    for start in (0, thought.end() if thought else 0):
        bare = text[start:].lstrip()
        is_bare = any(
            bare == label or (bare.startswith(label) and re.match(r"\s*(?:<|\[EOS|\Z)", bare[len(label) :]))
            for label in labels
        )
        if is_bare:
            return len(text) - len(bare)
    return None


def _from(tokens: Sequence[Mapping[str, Any]], start: int) -> Iterator[tuple[str, Alternatives]]:
    """Yield text and alternatives from the first token of the label on, without the text before the label."""
    position = 0
    remaining = iter(tokens)
    for token in remaining:
        text = _text(token)
        position += len(text)
        if position > start and text.strip(' "'):
            before = text[: len(text) - (position - start)]
            yield _bare(text, before), [(_bare(t, before), p) for t, p in _alternatives(token)]
            break
    for token in remaining:
        yield _text(token), list(_alternatives(token))


def _bare(token: str, before: str) -> str:
    """Return the part of a token that belongs to the label, if the label begins in the token."""
    rest = token[len(before) :] if before and token.startswith(before) else token.rpartition(":")[2]
    return rest.lstrip(' "')


def _walk(tokens: Iterable[tuple[str, Alternatives]], labels: Sequence[str]) -> tuple[dict[str, float], float]:
    """Return the weights of the labels, and the weight of alternatives that fit several labels."""
    weights, unclear = dict.fromkeys(labels, 0.0), 0.0
    prefix, probability = "", 1.0
    for token, alternatives in tokens:
        followed = 0.0
        for text, share in alternatives:
            fitting = _fitting(prefix + text, labels)
            if len(fitting) == 1:
                weights[fitting[0]] += probability * share
            elif fitting and text == token:
                followed += share
            elif fitting:
                unclear += probability * share
        prefix, probability = prefix + token, probability * followed
        if followed == 0:
            return weights, unclear
    if prefix in weights:  # the answer ends with the label
        weights[prefix] += probability
    else:
        unclear += probability
    return weights, unclear


def _fitting(text: str, labels: Sequence[str]) -> list[str]:
    """Return the labels that `text` may begin or end; one label if the text goes on after the label."""
    unfinished = [label for label in labels if text and label.startswith(text)]
    complete = [label for label in labels if text.startswith(label) and _END.match(text, len(label))]
    return unfinished or sorted(complete, key=len)[-1:]
