"""What is shown of a running search on stderr: a live view in a terminal, lines elsewhere, or nothing."""

import os
from typing import TextIO

from rich.console import RenderableType

from blpo.cli.frame import frame
from blpo.cli.watching import Drawing, Telling, Watching
from blpo.cli.wording import one_line
from blpo.reports.progress_lines import progress_line
from blpo.runs.run_progress import Progress, follow
from state.events import Event

STOPPING = "stopping after this step; press Ctrl-C again to stop at once"
CANCELLING = "stopping; answers that are being paid for get a few seconds"


def view_on(stream: TextIO, *, quiet: bool) -> "View":
    """The view that suits the stream."""
    if quiet:
        return View()
    return LiveView(stream) if shows_live(stream) else LinesView(stream)


def shows_live(stream: TextIO) -> bool:
    """Whether the stream is a terminal whose lines can be drawn again."""
    return stream.isatty() and os.environ.get("TERM") not in (None, "dumb")


class View(Watching):
    """Follows the progress of a run and shows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()

    def event(self, event: Event) -> None:
        """Take one progress event."""
        self.progress = follow(self.progress, event)

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return bool(self.progress.run)


class LinesView(Telling, View):
    """One line for each finished trial and round."""

    def event(self, event: Event) -> None:
        """Take one progress event, and write its line if it has one."""
        super().event(event)
        line = progress_line(event, self.progress)
        if line:
            self._tell(line)


class LiveView(Drawing, View):
    """A frame that is drawn again four times a second; its last state stays on the terminal."""

    def event(self, event: Event) -> None:
        """Take one progress event; what would be gone with the next frame is written above it."""
        super().event(event)
        if event["event"] == "replayed":
            self._live.console.print(one_line(progress_line(event, self.progress) or ""), markup=False, highlight=False)

    def _frame(self) -> RenderableType:
        return frame(self.progress, self.elapsed, self._notice)
