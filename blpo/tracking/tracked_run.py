"""A run with its tracker: the record follows the run, and ends after the report."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

from blpo.config.tracker_requirements import require_tracker
from blpo.runs.driver import OnEvent
from blpo.runs.run_record import RunRecord
from blpo.tracking.sending import Sending
from blpo.tracking.sent_parts import read_sent
from state.errors import ConfigError
from state.events import Event, WarningEvent
from state.settings import TrackerName


@asynccontextmanager
async def tracked(
    *handlers: OnEvent | None, group: str = "", past: Path | None = None, overrides: Iterable[str] = ()
) -> AsyncIterator[OnEvent]:
    """Yield the handler of a run's events. The record of a run with a tracker follows the run, and ends with the block.

    `handlers` get every event, and a warning where the tracker fails. A failure of a tracker costs the run nothing but
    a bounded wait at the end (`blpo.tracking.sending`). After a cancellation nothing waits. `group`: the experiment of
    a cell. `past`: directory of an earlier run, with `overrides` of its settings; if the run is finished and does not
    go on, the record gets the missing parts.
    """
    run = _TrackedRun([handler for handler in handlers if handler is not None], group)
    try:
        yield run
        if past is not None:
            run.catch_up(past, overrides)
        await run.end()
    except Exception:
        await run.end()
        raise
    finally:
        await run.leave()


class _TrackedRun:
    """Handler of events: hands events on, and starts the process of the tracker with the run."""

    def __init__(self, handlers: list[OnEvent], group: str) -> None:
        self._handlers = handlers
        self._group = group
        self._has_started = False
        self._ended = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    def __call__(self, event: Event) -> None:
        for handler in self._handlers:
            handler(event)
        if event["event"] == "started" and not self._has_started:
            self._has_started = True
            if "tracking" in event:
                self._begin(Path(event["run"]), cast(TrackerName, event["tracking"]))

    def catch_up(self, directory: Path, overrides: Iterable[str]) -> None:
        """Send the parts of a finished run that its record lacks, if the run has not just gone on."""
        if self._has_started:
            return
        run = RunRecord.read(directory, overrides)
        name = run.settings.run.tracking
        if name is None or read_sent(directory, name, run.info.thread_id).ended:
            return
        try:
            require_tracker(run.settings)
        except ConfigError as error:
            self._warn(str(error))
        else:
            self._begin(directory.absolute(), name)

    def _begin(self, directory: Path, name: TrackerName) -> None:
        process = Sending(directory, name, self._group, self._warn)
        self._sending = asyncio.get_running_loop().create_task(process.run(self._ended))

    async def end(self) -> None:
        """Wait until the record is whole, or the tracker has taken nothing for too long."""
        self._ended.set()
        if self._sending is not None:
            await self._sending

    async def leave(self) -> None:
        """Stop sending."""
        if self._sending is not None:
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending

    def _warn(self, text: str) -> None:
        event = WarningEvent(event="warning", text=text)
        for handler in self._handlers:
            handler(event)
