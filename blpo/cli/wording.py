"""Names, numbers and foreign text as people read them on a terminal: those of the reports, and paths."""

import os
from pathlib import Path

from blpo.reports.wording import (
    METRICS,
    STOP_REASONS,
    count,
    counted,
    dollars,
    duration,
    higher_limits,
    metric_name,
    one_line,
    plain,
    probability,
)

__all__ = [
    "METRICS",
    "STOP_REASONS",
    "count",
    "counted",
    "dollars",
    "duration",
    "higher_limits",
    "metric_name",
    "one_line",
    "plain",
    "probability",
    "short_path",
]


def short_path(path: str | Path) -> str:
    """A path below the current directory as it is from here, any other as it stands."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative
