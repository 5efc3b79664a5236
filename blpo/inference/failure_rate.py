"""Largest share of failed calls in a step, and the wording of a failed call.

Errors (network, server, quota) say nothing about a prompt. Too many errors make the loss of a prompt meaningless.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from blpo.inference.open_models import OpenModels
from blpo.inference.votes import votes_of
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


def _detail(outcome: Verdict | Description) -> str:
    """Return the reason of a verdict or a description that failed."""
    return outcome.reason if isinstance(outcome, Verdict) else outcome.text


def _failed_votes(outcome: Verdict | Description) -> dict[str, str]:
    """Return the reasons of errors by the member of a panel."""
    votes = [vote for votes in votes_of(outcome) for vote in votes] if isinstance(outcome, Verdict) else []
    return {vote.member: vote.reason for vote in votes if vote.member and vote.status == "error"}


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
    _of_members: Counter[str] = field(default_factory=Counter)
    """Samples with an error, by the member of a panel: the others of the panel must not hide a member that fails."""
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
        failures = _failed_votes(outcome)
        if outcome.status != "error":
            self._has_answer = True
            if not failures:
                return
        self.errors += outcome.status == "error"
        self._of_members.update(failures.keys())
        if self._ended is None and (message := self._message(outcome, failures)) is not None:
            self._ended = TooManyFailures(message)
            self.models.caller.give_up(self._ended)
        if self._ended is not None:
            raise self._ended

    def _message(self, outcome: Verdict | Description, failures: Mapping[str, str]) -> str | None:
        """Return the message of too many errors; None if no more than allowed have failed."""
        if self.errors > self.allowed:
            return self._sentence(self.errors, f"{self.role} calls", _detail(outcome), self.role)
        models = self.models.settings.models
        for role, name in zip(models.judge_roles, models.member_names, strict=False):
            if name in failures and self._of_members[name] > self.allowed:
                return self._sentence(self._of_members[name], f"calls of {name}", failures[name], role)
        return None

    def _sentence(self, errors: int, calls: str, detail: str, role: Role) -> str:
        if _REJECTION.search(detail) and not self._has_answer:
            detail = f"{sentence(detail)} No call was answered: {rejection_advice(detail, role)}"
        place = f" on the {self.part} split" if self.part else ""
        rate = self.models.settings.limits.max_failure_rate
        return (
            f"{errors} of {self.size} {calls} failed after retries{place}, more than"
            f" limits.max_failure_rate ({rate:g}) allows. Nothing more was asked, and everything paid for is kept:"
            f" resume when all is well. The last failure: {detail}"
        )
