"""Results of an audit: the content of audit.json."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

FORMAT = 1
Status = Literal["complete", "budget"]
MOST_EXAMPLES = 5
"""Samples with a changed verdict that a result lists."""


class ChangedVerdict(TypedDict):
    """A sample whose verdict changed."""

    id: str
    images: list[str]
    before: str
    """Label, or the status of a verdict without a label."""
    after: str
    reason: str
    """The judge's reason after the change."""


class ProbeResult(TypedDict):
    """Result of one probe."""

    assumption: str
    off: NotRequired[str]
    """Reason why the probe was not run; the other fields are then absent."""
    n: NotRequired[int]
    """Samples (pairs, groups) that count: answered before and after the change."""
    errors: NotRequired[int]
    """Samples left out because of an error (network, server, quota)."""
    flips: NotRequired[int]
    rate: NotRequired[float | None]
    """flips / n; None without a sample."""
    ci95: NotRequired[list[float] | None]
    """95 % interval [low, high] of `rate` by Wilson."""
    up: NotRequired[int]
    """Flips to a higher rating, to the positive or first label; for pairs, answers "first" beyond "second"."""
    down: NotRequired[int]
    p_value: NotRequired[float]
    """Sign test of `up` against `down`; for degraded images one-sided."""
    biased: NotRequired[bool]
    """True if the flips lean to one side, with Holm's correction over all probes."""
    violation: NotRequired[float | None]
    """Transitivity: mean of the smallest share of answers against a total order."""
    examples: NotRequired[list[ChangedVerdict]]
    """The largest changes first."""


class AuditResult(TypedDict):
    """Content of audit.json."""

    format: int
    judge: dict[str, str]
    """Identity of the judge: prompt, model, and version as far as told."""
    samples: int
    status: Status
    """`complete`, or `budget` if the calls did not suffice for all probes."""
    calls: int
    """Judge calls of this audit, over all its resumes."""
    probes: dict[str, ProbeResult]
