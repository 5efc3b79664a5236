"""Readings of measured metrics by name, without importing what measures them."""

from state.result import Agreement, Metrics


def reading(agreement: Agreement, metric: str) -> float:
    """Return one number of an agreement: for `Metrics`, the number over the answered samples."""
    number: float = agreement[metric]  # type: ignore[literal-required]
    return number


def strict_reading(metrics: Metrics, metric: str) -> float:
    """Return the number with refusals and unreadable answers counted as wrong: the reading that selects."""
    return reading(metrics["strict"], metric)
