"""How requests go wrong: one after the other by a script, at random, or each request always in the same way."""

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
    """How one request goes wrong."""

    status: int = 200
    """Other than 200: an error of this kind, in OpenAI's form."""
    code: str | None = None
    param: str | None = None
    message: str = "made to fail"
    retry_after: str | None = None
    body: Body = "chat"
    """With status 200: no JSON, a web page, JSON without choices, a body that breaks off, no reply at all, a body that
    comes drop by drop; or a good reply in which the model declines, says nothing, gives a label of no task, or tells
    the key that was sent."""
    delay: float = 0.0
    """Seconds until the reply; of a slow body, until its end."""


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
"""All that may pass, but for what takes longer than a client waits."""


def weather(rate: float, seed: int, faults: Sequence[Fault] = PASSING) -> Iterator[Fault]:
    """Endless: so large a share of requests goes wrong, in all ways in turn."""
    generator, turn = random.Random(seed), 0
    while True:
        if generator.random() >= rate:
            yield FINE
        else:
            yield faults[turn % len(faults)]
            turn += 1


def staying(rate: float, faults: Sequence[Fault]) -> Callable[[dict[str, Any]], Fault]:
    """The same request always goes the same way: so large a share of all that may be asked goes wrong."""

    def fault_of(request: dict[str, Any]) -> Fault:
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).digest()
        chance, turn = int.from_bytes(digest[:8], "big") / 2**64, digest[8]
        return faults[turn % len(faults)] if chance < rate else FINE

    return fault_of
