"""Reports of finished runs as pages of the site. A report is kept until the run changes."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from blpo.reports.evidence import gather
from blpo.reports.page import Render
from blpo.reports.run_page import report_page
from blpo.runs.run_record import RunRecord
from blpo.view.shelf import PATIENCE, Shelf

_MOST_PAGES = 12
_FILES = ("result.json", "config.yaml", "confidence/confidence.json")


class ReportShelf:
    """Pages by run and by the times of the run's files."""

    def __init__(self) -> None:
        self._pages: Shelf[str] = Shelf(_MOST_PAGES)

    def page(self, run: Path, render: Render, patience: float = PATIENCE) -> str | None:
        """Return the report of a run; None if the report is not ready after `patience` seconds.

        Raises the `BlpoError` of an unreadable run.
        """
        return self._pages.get((run, file_times(run, _FILES)), lambda: _made(run, render), patience)

    def when_idle(self, work: Callable[[], object]) -> None:
        """Do `work` in the shelf's thread: the first chart of a process takes a second."""
        self._pages.when_idle(work)


def _made(run: Path, render: Render) -> str:
    record = RunRecord.read(run)
    evidence = asyncio.run(gather(record))
    return report_page(record, evidence, render)


def file_times(run: Path, names: Sequence[str]) -> tuple[int, ...]:
    """Return the times of files of a run, in nanoseconds; 0 for a missing file."""
    times = []
    for name in names:
        try:
            times.append(os.stat(run / name).st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)
