"""Largest share of failed calls in a run, and the wording of a failed call.

Errors (network, server, quota) say nothing about a prompt. Too many errors make the loss of a prompt meaningless.
"""

import math
from collections.abc import Sequence

from blpo.models.messages import Role
from state.errors import TooManyFailures
from state.response import Failure
from state.settings import LimitSettings
from state.verdict import Description, Verdict


def failure_detail(failure: Failure, role: Role) -> str:
    """Return the reason of a failure in one line, with the setting to change if a setting helps."""
    if failure.kind == "too_large":
        return f"{failure.detail}. The server takes no image that large: lower models.{role}.max_pixels"
    return failure.detail


def check_failures(node: str, outcomes: Sequence[Verdict | Description], limits: LimitSettings) -> None:
    """Raise `TooManyFailures` if more of `outcomes` are errors than `limits.max_failure_rate` allows."""
    errors = [outcome for outcome in outcomes if outcome.status == "error"]
    if len(errors) <= math.ceil(limits.max_failure_rate * len(outcomes)):  # rounded up: one of a small batch may fail
        return
    first = errors[0]
    detail = first.reason if isinstance(first, Verdict) else first.text
    raise TooManyFailures(
        f"{len(errors)} of {len(outcomes)} {node} calls failed after retries, more than limits.max_failure_rate"
        f" ({limits.max_failure_rate:g}); the first: {detail}. Everything paid for is kept; resume when all is well"
    )
