"""What is shown of a running experiment on stderr: a live view in a terminal, a line a cell elsewhere, or nothing."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from blpo.cli.evals_progress import EvalsView, at_work, outcome
from blpo.cli.view import shows_live
from blpo.cli.watching import Drawing, Telling
from blpo.cli.wording import count, one_line, short_path
from evals.cell_results import CellResult

MOST_SHOWN = 12
"""Running cells that are listed."""


def evals_view_on(stream: TextIO, *, quiet: bool) -> "EvalsView":
    """The view that suits the stream."""
    if quiet:
        return EvalsView()
    return LiveEvalsView(stream) if shows_live(stream) else LinesEvalsView(stream)


class LinesEvalsView(Telling, EvalsView):
    """One line for each cell that ends."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event, and write its line if it has one."""
        super().event(event)
        if event["event"] == "experiment":
            self._tell(f"{self.cells} cells in {short_path(self.out)}, {self.done} of them done before")
        elif event["event"] == "cell_ended":
            self._tell(f"{self.done + self.failed} of {self.cells}: {event['result'].name}: {outcome(event['result'])}")


class LiveEvalsView(Drawing, EvalsView):
    """A frame that is drawn again four times a second; its last state stays on the terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._last: list[CellResult] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._notice = ""
        super().__exit__(kind, error, trace)

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        super().event(event)
        if event["event"] == "cell_ended":
            self._last = [*self._last, event["result"]][-3:]

    def _frame(self) -> RenderableType:
        if not self.begun:
            return _line(f"reading the data · {self.elapsed}")
        failed = f" · {self.failed} failed" if self.failed else ""
        left = f" · about {self.left} left" if self.left else ""
        lines: list[RenderableType] = [
            _line(f"{self.done} of {self.cells} cells{failed} · {self.elapsed}{left}", "bold")
        ]
        cells = Table.grid(padding=(0, 2, 0, 0))
        for result in self._last:
            cells.add_row(_line(result.name, "dim"), _line(outcome(result), "dim"))
        for name, progress in list(self.running.items())[:MOST_SHOWN]:
            cells.add_row(_line(name), _line(at_work(progress)))
        lines.append(cells)
        if self.calls:
            lines.append(_line(f"{count(self.calls)} calls charged so far"))
        lines.append(_line(one_line(short_path(self.out)), "dim"))
        if self._notice:
            lines.append(Text(self._notice, "yellow"))
        return Group(*lines)


def _line(text: str, style: str = "") -> Text:
    return Text(one_line(text), style=style, no_wrap=True, overflow="ellipsis")
