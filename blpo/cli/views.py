"""Views of work in progress on stderr: nothing, lines with the time, or a redrawn frame."""

import os
import time
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live

from blpo.cli.closed_pipe import ClosedPipeStream
from blpo.runs.wording import duration, single_line

STOPPING = "stopping after this step; press Ctrl-C again to stop at once"
CANCELLING = "stopping; answers that are being paid for get a few seconds"


class SilentView:
    """Base of all views: a clock without output."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def notify(self, notice: str) -> None:
        """Show that the work will stop. Must write no buffer, because a signal handler calls this method."""

    @property
    def resumable(self) -> bool:
        """True if the work has something to resume."""
        return False

    @property
    def elapsed(self) -> str:
        """Time since the start of the process's work."""
        return duration(time.monotonic() - self._start)


class LineView(SilentView):
    """View that writes lines with the time in front."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = ClosedPipeStream(stream)

    def notify(self, notice: str) -> None:
        """Show that the work will stop."""
        with suppress(OSError, ValueError):
            os.write(self._stream.fileno(), f"{self.elapsed:>6}  {notice}\n".encode())

    def _write_line(self, line: str) -> None:
        self._stream.write(f"{self.elapsed:>6}  {single_line(line)}\n")
        self._stream.flush()


class FrameView(SilentView):
    """View that draws a frame four times a second; the last frame stays on the terminal if the work is resumable."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._notice = ""
        console = Console(file=cast(TextIO, ClosedPipeStream(stream)), force_terminal=True)
        self._live = Live(get_renderable=self._frame, console=console, redirect_stdout=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.transient = not self.resumable  # if nothing has started, only the error stays
        self._live.stop()

    def notify(self, notice: str) -> None:
        """Show that the work will stop."""
        self._notice = notice

    def _frame(self) -> RenderableType:
        raise NotImplementedError


def draws_frames(stream: TextIO) -> bool:
    """Return True if the stream is a terminal that can draw lines again."""
    return stream.isatty() and os.environ.get("TERM") not in (None, "dumb")
