"""Views of a running search."""

from types import TracebackType
from typing import TextIO

from rich.console import RenderableType

from blpo.cli.search_frame import search_frame
from blpo.cli.views import FrameView, LineView, SilentView, draws_frames
from blpo.reports.progress_lines import progress_line
from blpo.runs.run_progress import Progress, follow
from blpo.runs.wording import single_line
from state.events import Event


def view_on(stream: TextIO, *, quiet: bool) -> "SearchView":
    """Return the view that suits the stream."""
    if quiet:
        return SearchView()
    return SearchFrames(stream) if draws_frames(stream) else SearchLines(stream)


class SearchView(SilentView):
    """Follows the progress of a run and shows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()

    def event(self, event: Event) -> None:
        """Follow one progress event."""
        self.progress = follow(self.progress, event)

    @property
    def resumable(self) -> bool:
        """True if there is a run to resume."""
        return bool(self.progress.run)


class SearchLines(LineView, SearchView):
    """Line for each finished trial and round."""

    def event(self, event: Event) -> None:
        """Follow a progress event, and write its line if any."""
        super().event(event)
        line = progress_line(event, self.progress)
        if line:
            self._write_line(line)


class SearchFrames(FrameView, SearchView):
    """Frame with the state of the search."""

    _is_last = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_last = kind is None
        super().__exit__(kind, error, trace)

    def event(self, event: Event) -> None:
        """Follow a progress event; write a line above the frame if the next frame would hide the line."""
        super().event(event)
        if event["event"] in ("warning", "replayed", "asked_again"):
            self._live.console.print(
                single_line(progress_line(event, self.progress) or ""), markup=False, highlight=False
            )

    def _frame(self) -> RenderableType:
        return search_frame(self.progress, self.elapsed, self._notice, is_last=self._is_last)
