"""Faults of requests: by a script, at random, or always the same fault for the same request."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Body = Literal[
    "chat", "malformed", "html", "no_choices", "half", "dropped", "slow", "refusal", "empty", "wrong_label", "tells_key"
]


@dataclass(frozen=True)
class Fault:
    """Fault of a request."""

    status: int = 200
    """Status of an error in OpenAI's form; 200: no error."""
    code: str | None = None
    param: str | None = None
    message: str = "made to fail"
    retry_after: str | None = None
    body: Body = "chat"
    """Body with status 200: no JSON, a web page, JSON without choices, half a body, no reply, a body drop by drop; or
    a good reply in which the model declines, is silent, gives a label outside the task, or repeats the API key."""
    text: str | None = None
    """Whole body in place of a body in OpenAI's form, for any status."""
    kind: str = "application/json"
    """Content type of `text`."""
    delay: float = 0.0
    """Seconds until the reply; for a slow body, until the end of the body."""


FINE = Fault()

PASSING = (
    Fault(status=429),
    Fault(status=429, retry_after="0"),
    Fault(status=408),
    Fault(status=409),
    Fault(status=500),
    Fault(status=502),
    Fault(status=503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    Fault(body="malformed"),
    Fault(body="html"),
    Fault(body="no_choices"),
    Fault(body="half"),
    Fault(body="dropped"),
    Fault(body="slow", delay=0.05),
    Fault(delay=0.05),
)
"""All passing faults, except replies slower than a client's timeout."""


def weather(rate: float, seed: int, faults: Sequence[Fault] = PASSING) -> Iterator[Fault]:
    """Yield faults without end: a share `rate` of requests has a fault, each of `faults` in turn."""
    generator, turn = random.Random(seed), 0
    while True:
        if generator.random() >= rate:
            yield FINE
        else:
            yield faults[turn % len(faults)]
            turn += 1


def staying(rate: float, faults: Sequence[Fault]) -> Callable[[dict[str, Any]], Fault]:
    """Return a function from request to fault: a share `rate` of all possible requests has a fault, always the same."""

    def fault_of(request: dict[str, Any]) -> Fault:
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).digest()
        chance, turn = int.from_bytes(digest[:8], "big") / 2**64, digest[8]
        return faults[turn % len(faults)] if chance < rate else FINE

    return fault_of
