"""Reports of finished runs as pages of the site. A thread makes a report; a report is kept until the run changes."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotReady
from pathlib import Path
from threading import Lock

from blpo.reports.evidence import gather
from blpo.reports.page import Render
from blpo.reports.run_page import report_page
from blpo.runs.run_record import RunRecord

PATIENCE = 1.0
"""Seconds that a page waits for its report."""
_MOST_PAGES = 12
_FILES = ("result.json", "config.yaml", "confidence/confidence.json")
_Key = tuple[Path, tuple[int, ...]]


class ReportShelf:
    """Pages by run and by the times of the run's files."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="report")
        self._pages: dict[_Key, Future[str]] = {}
        self._lock = Lock()

    def page(self, run: Path, render: Render, patience: float = PATIENCE) -> str | None:
        """Return the report of a run; None if the report is not ready after `patience` seconds.

        Raises the `BlpoError` of an unreadable run.
        """
        key = run, _times(run)
        with self._lock:
            page = self._pages.pop(key, None) or self._pool.submit(_made, run, render)
            self._pages[key] = page  # the last used page stands last
            while len(self._pages) > _MOST_PAGES:
                self._pages.pop(next(iter(self._pages)))
        try:
            return page.result(patience)
        except NotReady:
            return None
        except BaseException:
            with self._lock:
                self._pages.pop(key, None)
            raise

    def when_idle(self, work: Callable[[], object]) -> None:
        """Do `work` in the shelf's thread: the first chart of a process takes a second."""
        self._pool.submit(work)


def _made(run: Path, render: Render) -> str:
    record = RunRecord.read(run)
    evidence = asyncio.run(gather(record))
    return report_page(record, evidence, render)


def _times(run: Path) -> tuple[int, ...]:
    times = []
    for name in _FILES:
        try:
            times.append(os.stat(run / name).st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)
