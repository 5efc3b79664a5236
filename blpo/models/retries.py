"""Trying again: jittered exponential backoff, the server's own Retry-After, and a deadline over all tries."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from blpo.models.failures import Transient, outcome_of
from blpo.models.limiter import Limiter
from state.response import Failure, Response
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
    attempt: Callable[[float], Awaitable[Response]], settings: ModelSettings, backoff: Backoff, limiter: Limiter
) -> tuple[Response | Failure, int]:
    """Run `attempt`, given the seconds it may take, until it answers or the retries or the deadline are used up.

    Returns the outcome and the number of attempts. The deadline counts tries and the waits between them, not the wait
    for room under the limits. A try that the deadline cuts short tells less than the failure before it, which is then
    the outcome. Raises `ModelError` where no request to this model can succeed, and whatever is not a model's failure.
    """
    left, retry = settings.deadline, 0
    before: Failure | None = None
    while True:
        async with limiter.trying():
            begun = time.monotonic()
            outcome = await _outcome(attempt, min(settings.timeout, left), settings)
            if isinstance(outcome, Response):
                limiter.answered(outcome.input_tokens + outcome.output_tokens)
        if not isinstance(outcome, Transient):
            return outcome, retry + 1
        was_cut = left < settings.timeout and outcome.failure.kind == "timeout"
        failure = before if was_cut and before is not None else outcome.failure
        gives_up = retry == settings.max_retries or (outcome.wait or 0) > _LONGEST_ASKED
        if outcome.busy:
            limiter.busy(begun, None if gives_up else outcome.wait)
        wait = backoff.seconds(retry, outcome.wait)
        left -= time.monotonic() - begun + wait
        if gives_up or left <= 0:
            return failure, retry + 1
        await asyncio.sleep(wait)
        retry, before = retry + 1, failure


async def _outcome(
    attempt: Callable[[float], Awaitable[Response]], seconds: float, settings: ModelSettings
) -> Response | Failure | Transient:
    try:
        return await attempt(seconds)
    except Exception as error:
        outcome = outcome_of(error, settings)
        if outcome is None:
            raise
        return outcome
