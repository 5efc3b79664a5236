"""Retries: jittered exponential backoff, the server's own Retry-After, and a deadline over all attempts."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from blpo.models.fail_fast import CallQueue
from blpo.models.failures import Transient, outcome_of
from blpo.models.limiter import Limiter
from state.response import Failure, Response
from state.settings import ModelSettings

_LONGEST_WAIT = 120.0
"""Seconds; a server that asks to wait longer has no answer for this run."""

Attempt = Callable[[float], Awaitable[Response]]
"""Sends a request once, and takes at most so many seconds."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """Result of a call after all attempts."""

    result: Response | Failure
    attempts: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts: wait n is between half and all of first * 2**n seconds, and at most `longest`."""

    first: float = 0.5
    longest: float = 30.0

    def seconds(self, retry: int, retry_after: float | None) -> float:
        """Return the wait before retry `retry` (from 0); at least the seconds the server asked for."""
        wait = min(self.longest, self.first * 2.0**retry) * random.uniform(0.5, 1.0)
        return wait if retry_after is None else retry_after + random.uniform(0, 0.1) * wait


async def with_retries(
    attempt: Attempt, settings: ModelSettings, backoff: Backoff, limiter: Limiter, queue: CallQueue
) -> CallOutcome:
    """Run `attempt` until an answer arrives, the retries or the deadline are used up, or `queue` is given up.

    The deadline counts attempts and the waits between attempts, not the wait for room under the limits. An attempt cut
    short by the deadline tells less than the failure before, so then the failure before is the result. Raises
    `ModelError` if no request to the model can succeed, and any exception that is no failure of a model.
    """
    seconds_left, retry = settings.deadline, 0
    earlier_failure: Failure | None = None
    while True:
        async with limiter.attempt():
            start = time.monotonic()
            outcome = await _outcome(attempt, min(settings.timeout, seconds_left), settings, limiter)
            if isinstance(outcome, Response):
                limiter.answered(outcome.input_tokens + outcome.output_tokens)
        if not isinstance(outcome, Transient):
            return CallOutcome(outcome, retry + 1)
        was_cut = seconds_left < settings.timeout and outcome.failure.kind == "timeout"
        failure = earlier_failure if was_cut and earlier_failure is not None else outcome.failure
        gives_up = retry == settings.max_retries or (outcome.wait or 0) > _LONGEST_WAIT
        if outcome.busy:
            limiter.busy(start, None if gives_up else outcome.wait)
        wait = backoff.seconds(retry, outcome.wait)
        seconds_left -= time.monotonic() - start + wait
        if gives_up or seconds_left <= 0 or await queue.is_given_up_within(wait):
            return CallOutcome(failure, retry + 1)
        retry, earlier_failure = retry + 1, failure


async def _outcome(
    attempt: Attempt, seconds: float, settings: ModelSettings, limiter: Limiter
) -> Response | Failure | Transient:
    try:
        return await attempt(seconds)
    except Exception as error:
        outcome = outcome_of(error, settings, has_answered=limiter.has_answered)
        if outcome is None:
            raise
        return outcome
