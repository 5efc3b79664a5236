"""An estimate of an experiment as plain JSON values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.experiment_cost import Cost, GroupEstimate


@dataclass(frozen=True, slots=True)
class ExperimentTotal:
    """Cost of all cells together."""

    cells: int
    low: Cost
    high: Cost


def experiment_total(groups: Sequence[GroupEstimate]) -> ExperimentTotal:
    """Add up the cells of all groups."""
    low = sum((group.low.times(group.cells) for group in groups), Cost(0, 0, 0.0))
    high = sum((group.high.times(group.cells) for group in groups), Cost(0, 0, 0.0))
    return ExperimentTotal(sum(group.cells for group in groups), low, high)


def experiment_json(groups: Sequence[GroupEstimate]) -> dict[str, Any]:
    """Return the content of `blpo evals --estimate --json`: `groups` and `total`."""
    return {"groups": [asdict(group) for group in groups], "total": asdict(experiment_total(groups))}
