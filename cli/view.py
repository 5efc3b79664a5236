"""What is shown of a running search on stderr: a live view in a terminal, lines elsewhere, or nothing."""

import io
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live

from cli.frame import frame
from cli.progress import Progress, advance, past
from cli.wording import duration, metric_name, one_line

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


class View:
    """Follows the progress of a run and shows nothing."""

    def __init__(self) -> None:
        self.progress = Progress()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one progress event."""
        if event["event"] == "started":
            self.progress = past(Path(event["run"]))
        self.progress = advance(self.progress, event)

    def notify(self, notice: str) -> None:
        """Say that the run will stop; called from a signal handler, so nothing is written through a buffer."""

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return bool(self.progress.run)

    @property
    def elapsed(self) -> str:
        """How long this process has been at it."""
        return duration(time.monotonic() - self._began)


class LinesView(View):
    """One line for each finished trial and round."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = Lasting(stream)

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one progress event, and write its line if it has one."""
        super().event(event)
        line = line_of(event, self.progress)
        if line:
            self._tell(line)

    def notify(self, notice: str) -> None:
        """Say that the run will stop."""
        with suppress(OSError, ValueError):
            os.write(self._stream.fileno(), f"{self.elapsed:>6}  {notice}\n".encode())

    def _tell(self, line: str) -> None:
        self._stream.write(f"{self.elapsed:>6}  {one_line(line)}\n")
        self._stream.flush()


class LiveView(View):
    """A frame that is drawn again four times a second; its last state stays on the terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._notice = ""
        console = Console(file=cast(TextIO, Lasting(stream)), force_terminal=True)
        self._live = Live(get_renderable=self._frame, console=console, redirect_stdout=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.transient = not self.progress.run  # a run that did not begin leaves only its error
        self._live.stop()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one progress event; what would be gone with the next frame is written above it."""
        super().event(event)
        if event["event"] == "replayed":
            self._live.console.print(one_line(line_of(event, self.progress) or ""), markup=False, highlight=False)

    def notify(self, notice: str) -> None:
        """Say that the run will stop."""
        self._notice = notice

    def _frame(self) -> RenderableType:
        return frame(self.progress, self.elapsed, self._notice)


def line_of(event: Mapping[str, Any], progress: Progress) -> str | None:
    """What a log says of an event; None where it is not worth a line."""
    match event["event"]:
        case "started":
            return f"run {event['run']}"
        case "judged":
            return f"round {event['round']}: {metric_name(event['metric'])} {event['validation']:.3f} on validation"
        case "errors":
            drawn = f"{event['drawn']} drawn, with {event['anchors']} anchors"
            return f"round {event['round']}: {event['wrong']} wrong verdicts in train, {drawn}"
        case "trial":
            outcome = f"failed: {event['failure']}" if event["score"] is None else f"score {event['score']:+.3f}"
            return f"round {event['round']}, trial {event['step']} of {progress.inner_steps}: {outcome}"
        case "replayed":
            why = f"no checkpoints to go on from in {event['checkpoints']}"
            return f"replaying the run from its response store, at no cost ({why})"
        case "decided":
            return f"round {event['round']}: {event['prompt']} prompt, {event['decision']} by a person"
        case "phase" if event["phase"] == "evaluate_test":
            return "judging the test split"
    return None


class Lasting(io.TextIOBase):
    """A stream whose reader may go away: what can't be written is dropped, since a run must not end for its view."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if it can be written."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush, if it can be flushed."""
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        """The stream's own."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """The stream's own."""
        return self._stream.isatty()
