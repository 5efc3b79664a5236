"""What the figures show, from the content of table.json: points with intervals over seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t

Content = Mapping[str, Any]

AXES = {
    "error_batch": "errors a batch",
    "inner_steps": "inner steps K",
    "outer_rounds": "rounds T",
    "anchors": "anchors a batch",
}
"""Names of what is varied."""


@dataclass(frozen=True, slots=True)
class Point:
    """A mean over seeds with its 95 % interval."""

    values: tuple[float, ...]
    """By seed."""
    mean: float
    low: float
    high: float
    """Student's t; both equal to the mean where there is one seed alone."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Point":
        """The point of these values, at least one."""
        mean = fmean(values)
        half = 0.0
        if len(values) > 1:
            half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
        return cls(tuple(values), mean, mean - half, mean + half)


@dataclass(frozen=True, slots=True)
class Line:
    """One method on one dataset with one judge, over the values of one setting."""

    method: str
    dataset: str
    judge: str
    points: Mapping[int, Point]
    """By value, ascending."""


def swept(content: Content) -> list[str]:
    """The settings that the experiment varies."""
    return [name for name, values in content["experiment"]["sweeps"].items() if values]


def lines(content: Content, setting: str) -> list[Line]:
    """The lines of one panel; the experiment's own value is among the points where it was asked for."""
    values = sorted(content["experiment"]["sweeps"][setting])
    own = content["experiment"]["search"][setting]
    groups = dict.fromkeys((cell["method"], cell["dataset"], cell["judge"]) for cell in content["cells"])
    found = []
    for group in groups:
        by_value = {value: _values(content, group, "" if value == own else f"{setting}={value}") for value in values}
        points = {value: Point.of(seen) for value, seen in by_value.items() if seen}
        if points:
            found.append(Line(*group, points))
    return found


def methods(content: Content, dataset: str, judge: str) -> Iterator[tuple[Mapping[str, Any], Point]]:
    """The rows of one dataset and judge that have a result, with their points, in the order of the table."""
    for row in content["rows"]:
        if (row["dataset"], row["judge"], row["varied"]) == (dataset, judge, ""):
            values = _values(content, (row["method"], dataset, judge), "")
            if values:
                yield row, Point.of(values)


def _values(content: Content, group: tuple[str, str, str], varied: str) -> list[float]:
    return [
        cell["value"]
        for cell in content["cells"]
        if (cell["method"], cell["dataset"], cell["judge"]) == group
        and cell["varied"] == varied
        and cell["status"] == "done"
    ]
