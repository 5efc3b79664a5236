"""Values of compared runs by task."""

from dataclasses import dataclass

from blpo.reports.comparison import Comparison
from blpo.runs.wording import metric_name


@dataclass(frozen=True, slots=True)
class ComparedTask:
    """Metric of a task under the selected prompt of every run, with failures as wrong."""

    name: str
    metric: str
    chance: float
    values: tuple[float | None, ...]
    """A value for each run; None if undefined."""


def compared_tasks(comparison: Comparison) -> list[ComparedTask]:
    """Return a row for every task; none for runs of a single task."""
    by_run = [entry.metrics.get("by_task", {}) for entry in comparison.entries]
    return [
        ComparedTask(name, metric_name(own["metric"]), own["chance"], tuple(each[name]["value"] for each in by_run))
        for name, own in by_run[0].items()
    ]
