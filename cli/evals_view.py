"""What is shown of a running experiment on stderr: a live view in a terminal, a line a cell elsewhere, or nothing."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli.frame import phase_in_words
from cli.progress import Progress, advance
from cli.view import Lasting, shows_live
from cli.wording import count, duration, metric_name, one_line, short_path
from evals.cell_results import CellResult

MOST_SHOWN = 12
"""Running cells that are listed."""


def evals_view_on(stream: TextIO, *, quiet: bool) -> "EvalsView":
    """The view that suits the stream."""
    if quiet:
        return EvalsView()
    return LiveEvalsView(stream) if shows_live(stream) else LinesEvalsView(stream)


class EvalsView:
    """Follows an experiment and shows nothing."""

    def __init__(self) -> None:
        self.out = ""
        self.cells = 0
        self.done = 0
        self.failed = 0
        self.calls = 0
        """Charged to the cells that ended in this process."""
        self.running: dict[str, Progress] = {}
        self._ended = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self.out)

    @property
    def elapsed(self) -> str:
        """How long this process has been at it."""
        return duration(time.monotonic() - self._began)

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

    def notify(self, notice: str) -> None:
        """Say that it will stop; called from a signal handler, so nothing is written through a buffer."""

    def _end(self, cell: str, result: CellResult) -> None:
        self.running.pop(cell, None)
        self._ended += 1
        self.done += result.status == "done"
        self.failed += result.status == "failed"
        self.calls += result.calls


class LinesEvalsView(EvalsView):
    """One line for each cell that ends."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = Lasting(stream)

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event, and write its line if it has one."""
        super().event(event)
        if event["event"] == "experiment":
            self._tell(f"{self.cells} cells in {short_path(self.out)}, {self.done} of them done before")
        elif event["event"] == "cell_ended":
            self._tell(f"{self.done + self.failed} of {self.cells}: {outcome(event['result'])}")

    def notify(self, notice: str) -> None:
        """Say that it will stop."""
        with suppress(OSError, ValueError):
            os.write(self._stream.fileno(), f"{self.elapsed:>6}  {notice}\n".encode())

    def _tell(self, line: str) -> None:
        self._stream.write(f"{self.elapsed:>6}  {one_line(line)}\n")
        self._stream.flush()


class LiveEvalsView(EvalsView):
    """A frame that is drawn again four times a second; its last state stays on the terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._notice = ""
        self._last: list[CellResult] = []
        console = Console(file=cast(TextIO, Lasting(stream)), force_terminal=True)
        self._live = Live(get_renderable=self._frame, console=console, redirect_stdout=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.transient = not self.begun
        self._live.stop()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        super().event(event)
        if event["event"] == "cell_ended":
            self._last = [*self._last, event["result"]][-3:]

    def notify(self, notice: str) -> None:
        """Say that it will stop."""
        self._notice = notice

    def _frame(self) -> RenderableType:
        if not self.begun:
            return _line(f"reading the data · {self.elapsed}")
        failed = f" · {self.failed} failed" if self.failed else ""
        left = f" · about {self.left} left" if self.left else ""
        lines = [_line(f"{self.done} of {self.cells} cells{failed} · {self.elapsed}{left}", "bold")]
        lines += [_line(outcome(result), "dim") for result in self._last]
        running = dict(list(self.running.items())[:MOST_SHOWN])
        lines += [_line(f"{name}: {at_work(progress)}") for name, progress in running.items()]
        if self.calls:
            lines.append(_line(f"{count(self.calls)} calls charged so far"))
        lines.append(_line(one_line(short_path(self.out)), "dim"))
        if self._notice:
            lines.append(Text(self._notice, "yellow"))
        return Group(*lines)


def at_work(progress: Progress) -> str:
    """Where a cell is."""
    if not progress.phase:
        return "starting"
    items = f" {progress.done}/{progress.total}" if progress.total else ""
    metric = ""
    if progress.validation:
        latest = progress.validation[max(progress.validation)]
        metric = f" · validation {metric_name(progress.metric)} {latest:.3f}"
    return f"round {progress.round} of {progress.outer_rounds} · {phase_in_words(progress)}{items}{metric}"


def outcome(result: CellResult) -> str:
    """What became of a cell, in a line."""
    if result.status == "done":
        of = f"{metric_name(result.metric)} {result.value:.3f} (initial {result.initial:.3f})"
        return f"{result.name}: {of}, {result.calls} calls, {duration(result.seconds)}"
    return f"{result.name}: {result.status}{': ' + result.reason if result.reason else ''}"


def _line(text: str, style: str = "") -> Text:
    return Text(one_line(text), style=style, no_wrap=True, overflow="ellipsis")
