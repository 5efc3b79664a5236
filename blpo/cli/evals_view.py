"""Views of a running experiment."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from blpo.cli.paths import short_path
from blpo.cli.views import FrameView, LineView, SilentView, draws_frames
from blpo.reports.progress_lines import phase_in_words
from blpo.runs.run_progress import Progress
from blpo.runs.wording import count, duration, metric_name, single_line
from evals.cell_results import CellResult
from evals.experiment_progress import ExperimentProgress, follow_experiment

_MOST_CELLS = 12
"""Running cells in a frame."""
_METHOD_PHASES = {
    "expand": "criticising and rewriting the prompts",
    "select": "selecting among the prompts",
    "update_blindly": "rewriting without images",
    "propose": "proposing a prompt",
    "draw_i2t": "drawing an I2T prompt",
    "evolve": "evolving a pool of prompts",
    "descend": "rewriting by its critique",
}
"""Steps of methods other than BLPO."""


def evals_view_on(stream: TextIO, *, quiet: bool) -> "EvalsView":
    """Return the view that suits the stream."""
    if quiet:
        return EvalsView()
    return EvalsFrames(stream) if draws_frames(stream) else EvalsLines(stream)


class EvalsView(SilentView):
    """Follows an experiment and shows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = ExperimentProgress()

    def event(self, event: Mapping[str, Any]) -> None:
        """Follow one event of `evals.harness`."""
        self.progress = follow_experiment(self.progress, event)

    @property
    def resumable(self) -> bool:
        """True if there is an experiment to resume."""
        return bool(self.progress.out)

    @property
    def time_left(self) -> str:
        """Estimated rest of the time; empty while unknown."""
        seconds = self.progress.seconds_left(time.monotonic() - self._start)
        return "" if seconds is None else duration(seconds)


class EvalsLines(LineView, EvalsView):
    """Line for each ended cell."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Follow an event, and write its line if any."""
        super().event(event)
        progress = self.progress
        if event["event"] == "experiment":
            self._write_line(
                f"{progress.cells} cells in {short_path(progress.out)}, {progress.done} of them done before"
            )
        elif event["event"] in ("cell_ended", "cell_refused"):
            result = event["result"]
            place = f"{progress.done + progress.failed} of {progress.cells}"
            self._write_line(f"{place}: {result.name}: {cell_outcome(result)}")


class EvalsFrames(FrameView, EvalsView):
    """Frame with the running cells and the cells that ended last."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._last: list[CellResult] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._notice = ""
        super().__exit__(kind, error, trace)

    def event(self, event: Mapping[str, Any]) -> None:
        """Follow one event."""
        super().event(event)
        if event["event"] in ("cell_ended", "cell_refused"):
            self._last = [*self._last, event["result"]][-3:]

    def _frame(self) -> RenderableType:
        progress = self.progress
        if not self.resumable:
            return _line(f"reading the data · {self.elapsed}")
        failed = f" · {progress.failed} failed" if progress.failed else ""
        rest = f" · about {self.time_left} left" if self.time_left else ""
        lines: list[RenderableType] = [
            _line(f"{progress.done} of {progress.cells} cells{failed} · {self.elapsed}{rest}", "bold"),
            self._cells(),
        ]
        if progress.calls:
            lines.append(_line(f"{count(progress.calls)} calls charged so far"))
        lines.append(_line(single_line(short_path(progress.out)), "dim"))
        if self._notice:
            lines.append(Text(self._notice, "yellow"))
        return Group(*lines)

    def _cells(self) -> Table:
        cells = Table.grid(padding=(0, 2, 0, 0))
        for result in self._last:
            cells.add_row(_line(result.name, "dim"), _line(cell_outcome(result), "dim"))
        for name, progress in list(self.progress.running.items())[:_MOST_CELLS]:
            cells.add_row(_line(name), _line(cell_position(progress)))
        return cells


def cell_position(progress: Progress) -> str:
    """Return the position of a running cell in words."""
    if not progress.phase:
        return "starting"
    items = f" {progress.done}/{progress.total}" if progress.total else ""
    metric = ""
    if progress.validation:
        latest = progress.validation[max(progress.validation)]
        metric = f" · {metric_name(progress.metric)} {latest:z.3f}"
    phase = _METHOD_PHASES.get(progress.phase) or phase_in_words(progress)
    place = f"round {progress.round} of {progress.outer_rounds} · " if progress.outer_rounds else ""
    return f"{place}{phase}{items}{metric}"


def cell_outcome(result: CellResult) -> str:
    """Return the result of a cell in a line."""
    if result.status == "done":
        values = f"{metric_name(result.metric)} {result.value:z.3f} (initial {result.initial:z.3f})"
        return f"{values}, {result.calls} calls, {duration(result.seconds)}"
    if result.status == "open" and not result.reason:
        return "stopped; the same command goes on"
    return f"{result.status}{': ' + result.reason if result.reason else ''}"


def _line(text: str, style: str = "") -> Text:
    return Text(single_line(text), style=style, no_wrap=True, overflow="ellipsis")
