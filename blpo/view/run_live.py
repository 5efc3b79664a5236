"""A run at work: both loops, spending against the budget, rate and time left; sent again after every change."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from blpo.reports.progress_lines import phase_in_words, trial_place
from blpo.runs.run_progress import PROGRESS, Progress, past_progress
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import UsageTotals, total_usage
from blpo.storage.locks import is_locked
from blpo.view.pages import Frame, site_page
from blpo.view.site import NotHere, Site
from state.errors import BlpoError
from state.settings import LimitSettings

_POLL = 0.4
_MOST_ROUNDS = 20
_ALIVE = 15.0
"""Seconds between two signs of life, so that a closed page is noticed."""


@dataclass(frozen=True, slots=True)
class Live:
    """State of a run at work."""

    progress: Progress
    limits: LimitSettings
    spent: UsageTotals
    seconds: float | None
    """Time of the present process."""

    @classmethod
    def of(cls, path: Path) -> "Live":
        """Read the state from the run's files."""
        progress = past_progress(path)
        try:
            limits = RunRecord.read(path).settings.limits
        except BlpoError:
            limits = LimitSettings()
        return cls(progress, limits, total_usage(progress.usage.values()), _since(progress))

    @property
    def where(self) -> str:
        """Place in both loops: `round 1 of 3, trial 0 of 5`."""
        progress = self.progress
        if not progress.run:
            return "starting"
        step = "" if progress.step is None else f", {trial_place(progress.step, progress)}"
        return f"round {progress.round} of {progress.outer_rounds}{step}"

    @property
    def work(self) -> str:
        """Work of the present step."""
        return phase_in_words(self.progress)

    @property
    def rate(self) -> float | None:
        """Calls a minute of the present process; None in its first seconds."""
        if self.seconds is None or self.seconds < 3:
            return None
        return 60 * (self.progress.calls - self.progress.calls_before) / self.seconds

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time to the last round, by the pace of this process; None before there is a pace."""
        progress = self.progress
        done = self._rounds(progress.round, progress.step) - self._rounds(*progress.before)
        if self.seconds is None or done <= 0.05:
            return None
        return self.seconds / done * max(progress.outer_rounds + 1 - self._rounds(progress.round, progress.step), 0)

    @property
    def rounds(self) -> list[tuple[int, float]]:
        """Last rounds with their values on validation, in order."""
        return sorted(self.progress.validation.items())[-_MOST_ROUNDS:]

    @property
    def scores(self) -> list[tuple[int, float | None]]:
        """Scores of the round's trials, in order."""
        return sorted(self.progress.scores.items())

    def _rounds(self, number: int, step: int | None) -> float:
        return number + (0 if step is None else (step + 1) / (self.progress.inner_steps + 2))


def live_events(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of server-sent events: `panel` with HTML after a change, `end` after the process."""

    async def endpoint(request: Request) -> Response:
        try:
            path = await run_in_threadpool(site.run, request.path_params["run"])
        except NotHere as error:
            return PlainTextResponse(str(error), 404)
        return StreamingResponse(_events(site, path), media_type="text/event-stream")

    return endpoint


async def _events(site: Site, path: Path) -> AsyncIterator[str]:
    last_stamp: object = None
    spoken = time.monotonic()
    yield "retry: 2000\n\n"
    while await run_in_threadpool(is_at_work, site, path):
        stamp = _stamp(path)
        if stamp != last_stamp:
            last_stamp, spoken = stamp, time.monotonic()
            html = await run_in_threadpool(live_panel, site, path)
            yield "event: panel\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
        elif time.monotonic() - spoken > _ALIVE:
            spoken = time.monotonic()
            yield ": at work\n\n"
        await asyncio.sleep(_POLL)
    yield "event: end\ndata: no process is at work\n\n"  # an event without data is none


def is_at_work(site: Site, path: Path) -> bool:
    """Return True if a process works on the run, or is about to."""
    return is_locked(path) or site.processes.is_starting(path.name)


def live_panel(site: Site, path: Path) -> str:
    """Return the part of the page that changes."""
    return site_page("live_panel.html", Frame(site), live=Live.of(path))


def _stamp(path: Path) -> tuple[float, ...]:
    stamps = []
    for name in ("events.jsonl", PROGRESS):
        try:
            stamps.append((path / name).stat().st_mtime)
        except OSError:
            stamps.append(0.0)
    return tuple(stamps)


def _since(progress: Progress) -> float | None:
    try:
        return max((datetime.now(UTC) - datetime.fromisoformat(progress.since)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
