"""Replay of a first and a second judge at all thresholds of the first one's confidence: nothing is asked."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from blpo.deployment.escalation import escalated, may_escalate, total_usage
from blpo.deployment.trust import is_right
from blpo.deployment.verdict_lines import JudgedSample


class CascadeRow(TypedDict):
    """Two judges on labelled samples, with a threshold of the first one's confidence."""

    threshold: float | None
    """Confidence from which the first judge decides; None: the second judge decides everywhere."""
    coverage: float
    """Share of the samples that the first judge decides about."""
    agreement: float | None
    """Share of right verdicts among these; None without any."""
    escalated: int
    """Samples that the second judge decides about. Samples with an error stay with the first."""
    agreement_of_both: float
    """Share of right verdicts among all samples."""
    usd: float | None
    """Cost of both judges on all samples; None if a price is unknown."""


def cascade(first: Sequence[JudgedSample], second: Sequence[JudgedSample]) -> list[CascadeRow]:
    """Return a row for each threshold, from no escalation as far as confidences allow to the escalation of all samples.

    Both have the same labelled samples in the same order.
    """
    thresholds = sorted({item.confidence for item in first if item.confidence is not None})
    return [cascade_row(first, second, threshold) for threshold in (*thresholds, None)] if first else []


def cascade_row(first: Sequence[JudgedSample], second: Sequence[JudgedSample], threshold: float | None) -> CascadeRow:
    """Return what both judges do at one threshold; the samples are at least one."""
    covered = [threshold is not None and item.confidence is not None and item.confidence >= threshold for item in first]
    decided = [
        one if is_covered or not may_escalate(one) else escalated(one, other)
        for one, other, is_covered in zip(first, second, covered, strict=True)
    ]
    trusted = [is_right(item) for item, is_covered in zip(first, covered, strict=True) if is_covered]
    return CascadeRow(
        threshold=threshold,
        coverage=len(trusted) / len(first),
        agreement=sum(trusted) / len(trusted) if trusted else None,
        escalated=sum(item.first is not None for item in decided),
        agreement_of_both=sum(map(is_right, decided)) / len(decided),
        usd=total_usage(*(item.usage for item in decided))["usd"],
    )
