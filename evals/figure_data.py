"""Numbers of figures, from the content of table.json: means over seeds with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from scipy.special import stdtrit

Content = Mapping[str, Any]

AXES = {
    "error_batch": "errors a batch",
    "inner_steps": "inner steps K",
    "outer_rounds": "rounds T",
    "anchors": "anchors a batch",
    "calls": "calls",
}
"""Titles of the axes of varied settings."""


@dataclass(frozen=True, slots=True)
class SeedMean:
    """A mean over seeds with its 95 % interval."""

    values: tuple[float, ...]
    """By seed."""
    mean: float
    low: float
    high: float
    """By Student's t. The interval of a single seed is its value."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "SeedMean":
        """Return the mean of at least one value."""
        mean = fmean(values)
        half = 0.0
        if len(values) > 1:
            half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / sqrt(len(values))
        return cls(tuple(values), mean, mean - half, mean + half)


@dataclass(frozen=True, slots=True)
class MethodCurve:
    """Results of a method on a dataset with a judge, by the value of a setting."""

    method: str
    dataset: str
    judge: str
    points: Mapping[int, SeedMean]
    """By value, ascending."""


def varied_settings(content: Content) -> list[str]:
    """Return the settings that the experiment varies."""
    return [name for name, values in content["experiment"]["sweeps"].items() if values]


def panels(content: Content) -> list[tuple[str, str]]:
    """Return the datasets and judges of the table, in its order."""
    return list(dict.fromkeys((row["dataset"], row["judge"]) for row in content["rows"]))


def method_curves(content: Content, setting: str) -> list[MethodCurve]:
    """Return the curves over a setting. A value without a varied cell is the method's own value."""
    values = sorted(content["experiment"]["sweeps"][setting])
    cells = {(cell["method"], cell["dataset"], cell["judge"], cell["varied"]) for cell in content["cells"]}
    groups = dict.fromkeys((cell["method"], cell["dataset"], cell["judge"]) for cell in content["cells"])
    curves = []
    for group in groups:
        names = {value: f"{setting}={value}" for value in values}
        by_value = {
            value: _values(content, group, name if (*group, name) in cells else "") for value, name in names.items()
        }
        points = {value: SeedMean.of(results) for value, results in by_value.items() if results}
        if points:
            curves.append(MethodCurve(*group, points))
    return curves


def method_means(content: Content, dataset: str, judge: str) -> Iterator[tuple[Mapping[str, Any], SeedMean]]:
    """Yield the rows with a result for a dataset and judge, with means over seeds, in the order of the table."""
    for row in content["rows"]:
        if (row["dataset"], row["judge"], row["varied"]) == (dataset, judge, ""):
            values = _values(content, (row["method"], dataset, judge), "")
            if values:
                yield row, SeedMean.of(values)


def _values(content: Content, group: tuple[str, str, str], varied: str) -> list[float]:
    """Return the value of every seed whose cells are done: of one cell, or the mean over the cells of all tasks."""
    seeds: dict[int, list[Mapping[str, Any]]] = {}
    for cell in content["cells"]:
        if (cell["method"], cell["dataset"], cell["judge"]) == group and cell["varied"] == varied:
            seeds.setdefault(cell["seed"], []).append(cell)
    done = (cells for cells in seeds.values() if all(cell["status"] == "done" for cell in cells))
    return [fmean(cell["value"] for cell in cells) for cells in done]
