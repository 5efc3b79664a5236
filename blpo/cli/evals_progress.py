"""What is known of a running experiment: a fold over the events of `evals.harness`, and its cells in words."""

import time
from collections.abc import Mapping
from typing import Any

from blpo.cli.frame import phase_in_words
from blpo.cli.watching import Watching
from blpo.cli.wording import duration, metric_name
from blpo.runs.run_progress import Progress, advance
from evals.cell_results import CellResult

PHASES = {
    "expand": "criticising and rewriting the prompts",
    "select": "selecting among the prompts",
    "update_blindly": "rewriting without images",
    "propose": "proposing a prompt",
    "draw_i2t": "drawing an I2T prompt",
    "descend": "rewriting by its critique",
}
"""The steps of the methods beside BLPO's own."""


class EvalsView(Watching):
    """Follows an experiment and shows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.out = ""
        self.cells = 0
        self.done = 0
        self.failed = 0
        self.calls = 0
        """Charged to the cells that ended in this process."""
        self.running: dict[str, Progress] = {}
        self._ended = 0

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self.out)

    @property
    def left(self) -> str:
        """About how long the open cells will take, if they take as long as those that ended; empty while unknown."""
        still_open = self.cells - self.done - self.failed
        if not self._ended or not still_open:
            return ""
        return duration((time.monotonic() - self._began) / self._ended * still_open)

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event of `evals.harness`."""
        match event["event"]:
            case "experiment":
                self.out, self.cells, self.done = event["out"], event["cells"], event["done"]
            case "cell_began":
                self.running[event["cell"]] = Progress()
            case "cell":
                self.running[event["cell"]] = advance(self.running[event["cell"]], event["of"])
            case "cell_ended":
                self._end(event["cell"], event["result"])

    def _end(self, cell: str, result: CellResult) -> None:
        self.running.pop(cell, None)
        self._ended += result.status != "open"
        self.done += result.status == "done"
        self.failed += result.status == "failed"
        self.calls += result.calls


def at_work(progress: Progress) -> str:
    """Where a cell is."""
    if not progress.phase:
        return "starting"
    items = f" {progress.done}/{progress.total}" if progress.total else ""
    metric = ""
    if progress.validation:
        latest = progress.validation[max(progress.validation)]
        metric = f" · {metric_name(progress.metric)} {latest:z.3f}"
    phase = PHASES.get(progress.phase) or phase_in_words(progress)
    where = f"round {progress.round} of {progress.outer_rounds} · " if progress.outer_rounds else ""
    return f"{where}{phase}{items}{metric}"


def outcome(result: CellResult) -> str:
    """What became of a cell, in a line."""
    if result.status == "done":
        of = f"{metric_name(result.metric)} {result.value:z.3f} (initial {result.initial:z.3f})"
        return f"{of}, {result.calls} calls, {duration(result.seconds)}"
    if result.status == "open" and not result.reason:
        return "stopped; the same command goes on"
    return f"{result.status}{': ' + result.reason if result.reason else ''}"
