"""Difference with interval, as places on a short line. A page stretches the line to the width of a table cell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """Places in percent of the width of the line."""

    low: float
    value: float
    high: float
    zero: float


def interval(low: float, value: float, high: float, others: tuple[float, float] = (0.0, 0.0)) -> Interval:
    """Place a difference and its interval on a line a little longer than the interval, zero and `others`."""
    least, most = min(0.0, low, value, *others), max(0.0, high, value, *others)
    margin = 0.1 * max(most - least, 1e-9)

    def place(number: float) -> float:
        return round(100 * (number - least + margin) / (most - least + 2 * margin), 2)

    return Interval(place(low), place(value), place(high), place(0.0))
