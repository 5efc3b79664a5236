"""An answer of a model, or its failure. Both are values; neither is ever mistaken for a label."""

from dataclasses import dataclass
from typing import Literal


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


@dataclass(slots=True)
class Traffic:
    """Bytes so far; what a client does not report is not in it."""

    sent: int = 0
    received: int = 0
