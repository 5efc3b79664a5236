"""Answers and failures of a model, as values of different types: a failure is never taken for a label."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Response:
    """A paid answer. The store serves the answer again, also a refusal or a text without a label."""

    text: str
    refused: bool = False
    """True if the model or the server's filter declined; `text` holds their words."""
    finish_reason: str = "stop"
    """Word of the server: `stop`, `length` (cut off), `content_filter` ..."""
    input_tokens: int = 0
    """Count of the server; without a count an estimate of four characters a token, and no tokens for images."""
    output_tokens: int = 0
    model_version: str = ""
    """Name of the model, as the model reports it."""
    scores: tuple[tuple[str, float], ...] = ()
    """(label, probability) for each label; the probabilities add up to 1. Empty without usable log-probabilities."""
    cached_tokens: int = field(default=0, compare=False)
    """Part of `input_tokens` from the prefix cache of the server, as far as the server tells. The count belongs to the
    call: an answer from the store has no cached tokens."""


FailureKind = Literal[
    "timeout", "connection", "rate_limit", "server", "malformed", "quota", "too_long", "too_large", "rejected"
]
"""The first five kinds are transient and were retried. The other kinds belong to the request and were not retried."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. A failure says nothing about the prompt. The store keeps no failure: a resumed run asks again."""

    kind: FailureKind
    detail: str
    """One line without secrets."""


@dataclass(slots=True)
class Traffic:
    """Bytes so far, as far as the client counts bytes."""

    bytes_sent: int = 0
    bytes_received: int = 0
