"""Progress of an experiment: a fold over the events of `evals.harness`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from blpo.runs.run_progress import Progress, advance
from evals.cell_results import CellResult


@dataclass(frozen=True, slots=True)
class ExperimentProgress:
    """State of an experiment after some events."""

    out: str = ""
    """The experiment's folder; empty before the start."""
    cells: int = 0
    done: int = 0
    failed: int = 0
    ended: int = 0
    """Cells that ended in this process."""
    calls: int = 0
    """Calls charged to the cells that ended in this process."""
    running: Mapping[str, Progress] = field(default_factory=dict)
    """Progress of each running cell by name."""

    def seconds_left(self, seconds: float) -> float | None:
        """Estimate the rest of the time from the `seconds` of the ended cells; None if unknown or if all is done."""
        remaining = self.cells - self.done - self.failed
        return seconds / self.ended * remaining if self.ended and remaining else None


def follow_experiment(progress: ExperimentProgress, event: Mapping[str, Any]) -> ExperimentProgress:
    """Return the progress after one event."""
    match event["event"]:
        case "experiment":
            return replace(progress, out=event["out"], cells=event["cells"], done=event["done"])
        case "cell_refused":
            return replace(progress, failed=progress.failed + 1)
        case "cell_began":
            return replace(progress, running={**progress.running, event["cell"]: Progress()})
        case "cell":
            cell = advance(progress.running[event["cell"]], event["of"])
            return replace(progress, running={**progress.running, event["cell"]: cell})
        case "cell_ended":
            return _without(progress, event["cell"], event["result"])
    return progress


def _without(progress: ExperimentProgress, cell: str, result: CellResult) -> ExperimentProgress:
    return replace(
        progress,
        running={name: other for name, other in progress.running.items() if name != cell},
        ended=progress.ended + (result.status != "open"),
        done=progress.done + (result.status == "done"),
        failed=progress.failed + (result.status == "failed"),
        calls=progress.calls + result.calls,
    )
