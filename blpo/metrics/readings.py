"""Readings of measured metrics by name, without importing what measures them."""

from typing import Any, cast

from state.metrics import Agreement, Metrics

SIGNIFICANT = 0.05
"""Level of the paired test."""


def reading(agreement: Agreement, metric: str) -> float | None:
    """Return METRIC or METRIC.LABEL of an agreement: for `Metrics`, the number over the answered samples.

    None if the value is undefined, or not in the result of an older run.
    """
    name, dot, label = metric.partition(".")
    content = cast("dict[str, Any]", agreement).get(name)
    number: float | None = (content or {}).get(label) if dot else content
    return number


def strict_reading(metrics: Metrics, metric: str) -> float | None:
    """Return the number with refusals and unreadable answers counted as wrong: the reading that selects."""
    return reading(metrics["strict"], metric)


def strict_value(metrics: Metrics, metric: str) -> float:
    """Return the strict reading for comparisons. An undefined value counts as 0.0: no agreement was shown."""
    return strict_reading(metrics, metric) or 0.0


def reason_undefined(agreement: Agreement, metric: str) -> str:
    """Return the reason for an undefined value."""
    return agreement.get("undefined", {}).get(metric, "not measured by the version of the run")
