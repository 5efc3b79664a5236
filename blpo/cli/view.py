"""What is shown of a running search on stderr: a live view in a terminal, lines elsewhere, or nothing."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from rich.console import RenderableType

from blpo.cli.frame import frame
from blpo.cli.progress import Progress, advance, past
from blpo.cli.watching import Drawing, Telling, Watching
from blpo.cli.wording import metric_name, one_line

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

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one progress event."""
        if event["event"] == "started":
            self.progress = past(Path(event["run"]))
        self.progress = advance(self.progress, event)

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return bool(self.progress.run)


class LinesView(Telling, View):
    """One line for each finished trial and round."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one progress event, and write its line if it has one."""
        super().event(event)
        line = line_of(event, self.progress)
        if line:
            self._tell(line)


class LiveView(Drawing, View):
    """A frame that is drawn again four times a second; its last state stays on the terminal."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one progress event; what would be gone with the next frame is written above it."""
        super().event(event)
        if event["event"] == "replayed":
            self._live.console.print(one_line(line_of(event, self.progress) or ""), markup=False, highlight=False)

    def _frame(self) -> RenderableType:
        return frame(self.progress, self.elapsed, self._notice)


def line_of(event: Mapping[str, Any], progress: Progress) -> str | None:
    """What a log says of an event; None where it is not worth a line."""
    match event["event"]:
        case "started":
            return f"run {event['run']}"
        case "judged":
            return f"round {event['round']}: {metric_name(event['metric'])} {event['validation']:z.3f} on validation"
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
