"""Trying again: jittered exponential backoff, and the server's own Retry-After."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from models.failures import Transient, outcome_of
from models.response import Failure, Response
from state.settings import ModelSettings

_LONGEST_ASKED = 120.0
"""Seconds; a server that asks to wait for longer has no answer for this run."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The n-th wait is between half and all of first * 2**n seconds, and never above longest."""

    first: float = 0.5
    longest: float = 30.0

    def seconds(self, retry: int, asked: float | None) -> float:
        """How long to wait before the retry with this number (from 0); at least what the server asked for."""
        wait = min(self.longest, self.first * 2.0**retry) * random.uniform(0.5, 1.0)
        return wait if asked is None else asked + random.uniform(0, 0.1) * wait


async def with_retries(
    attempt: Callable[[], Awaitable[Response]], settings: ModelSettings, backoff: Backoff
) -> tuple[Response | Failure, int]:
    """Run `attempt` until it answers or `max_retries` are used up; returns the outcome and the number of attempts.

    Raises `ModelError` where no request to this model can succeed, and whatever is not a model's failure.
    """
    retry = 0
    while True:
        try:
            return await attempt(), retry + 1
        except Exception as error:
            outcome = outcome_of(error, settings)
            if outcome is None:
                raise
        if not isinstance(outcome, Transient):
            return outcome, retry + 1
        if retry == settings.max_retries or (outcome.wait or 0) > _LONGEST_ASKED:
            return outcome.failure, retry + 1
        await asyncio.sleep(backoff.seconds(retry, outcome.wait))
        retry += 1
