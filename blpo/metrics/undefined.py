"""Undefined values: a metric without a value has a reason, never a stand-in number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undefined:
    """A metric that has no value. In JSON the metric is null, and the reason stands beside it, under `undefined`."""

    reason: str
    """Reason in words: "all human labels are one label"."""


Value = float | Undefined
"""Value of a metric, or the reason for its absence. A float is finite."""
