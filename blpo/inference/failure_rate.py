"""Largest share of failed calls in a step, and the wording of a failed call.

Errors (network, server, quota) say nothing about a prompt. Too many errors make the loss of a prompt meaningless.
"""

import math
import re
from dataclasses import dataclass

from blpo.inference.open_models import OpenModels
from blpo.models.messages import Role
from blpo.models.rejections import rejection_advice
from blpo.models.sentences import sentence
from state.errors import TooManyFailures
from state.response import Failure
from state.verdict import Description, Verdict

_REJECTION = re.compile(r"Error code: 4(?!08|09|29)\d\d\b")
"""Words of a failure that no retry can mend."""


def failure_detail(failure: Failure, role: Role) -> str:
    """Return the reason of a failure in one line, with the setting to change if a setting helps."""
    if failure.kind == "too_large":
        return f"{sentence(failure.detail)} The server takes no image that large: lower models.{role}.max_pixels"
    return failure.detail


@dataclass(slots=True)
class FailureCount:
    """Errors of a step. A step with more errors than `limits.max_failure_rate` allows ends at once."""

    models: OpenModels
    role: Role
    size: int
    """Calls of the whole step."""
    part: str = ""
    """Name of the split in the message; empty for a batch."""
    errors: int = 0
    _has_answer: bool = False
    """True if a call of the step did not fail."""
    _ended: TooManyFailures | None = None

    @property
    def allowed(self) -> int:
        """Errors that the step may have; rounded up, so that one call of a small batch may fail."""
        return math.ceil(self.models.settings.limits.max_failure_rate * self.size)

    def add(self, outcome: Verdict | Description) -> None:
        """Count an outcome; raises `TooManyFailures` as soon as the errors exceed the errors allowed.

        Then calls under way are not tried again, and calls not yet sent are not sent.
        """
        if outcome.status != "error":
            self._has_answer = True
            return
        self.errors += 1
        if self.errors > self.allowed and self._ended is None:
            self._ended = TooManyFailures(self._message(outcome))
            self.models.caller.give_up(self._ended)
        if self._ended is not None:
            raise self._ended

    def _message(self, outcome: Verdict | Description) -> str:
        detail = outcome.reason if isinstance(outcome, Verdict) else outcome.text
        if _REJECTION.search(detail) and not self._has_answer:
            detail = f"{sentence(detail)} No call was answered: {rejection_advice(detail, self.role)}"
        place = f" on the {self.part} split" if self.part else ""
        rate = self.models.settings.limits.max_failure_rate
        return (
            f"{self.errors} of {self.size} {self.role} calls failed after retries{place}, more than"
            f" limits.max_failure_rate ({rate:g}) allows. Nothing more was asked, and everything paid for is kept:"
            f" resume when all is well. The last failure: {detail}"
        )
