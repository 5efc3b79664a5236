"""report.html at the end of every run. A page that can't be made is a line of warning, never a failed run."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from blpo.inference.ended_runs import ended_runs_kept
from blpo.reports.run_page import REPORT, write_report
from blpo.runs.driver import OnEvent
from blpo.runs.wording import single_line
from state.errors import BlpoError
from state.events import Event

_log = logging.getLogger("blpo")


@asynccontextmanager
async def final_report(*handlers: OnEvent | None, run: Path | None = None) -> AsyncIterator[OnEvent]:
    """Yield the handler of a run's events, and write the run's report at the end, also after a `BlpoError`.

    `handlers` get every event. `run` is the directory of an earlier run: if the run is finished and does not go on, its
    report is written only if the report is missing or older than result.json.
    """
    events = _Events([handler for handler in handlers if handler is not None])
    with ended_runs_kept():
        try:
            yield events
        except BlpoError:
            await _write(events.directory)
            raise
        if events.directory is None and run is not None and not _has_report(run):
            events.directory = run
        await _write(events.directory)


class _Events:
    """Handler of events: hands events on and keeps the directory of the run."""

    def __init__(self, handlers: list[OnEvent]) -> None:
        self.directory: Path | None = None
        self._handlers = handlers

    def __call__(self, event: Event) -> None:
        if event["event"] == "started":
            self.directory = Path(event["run"])
        for handler in self._handlers:
            handler(event)


def _has_report(run: Path) -> bool:
    """Return true for a run with a report that is not older than the result."""
    try:
        return (run / REPORT).stat().st_mtime_ns >= (run / "result.json").stat().st_mtime_ns
    except (OSError, ValueError):
        return False


async def _write(directory: Path | None) -> None:
    """Write the page; nothing for a run that did not begin, or has no result to show."""
    if directory is None or not (directory / "result.json").exists():
        return
    try:
        await write_report(directory)
    except Exception as error:  # no fault of a page may cost a run of days
        reason = str(error) if isinstance(error, BlpoError) else f"{type(error).__name__}: {error}"
        _log.warning("no report.html of %s: %s", directory, single_line(reason))
