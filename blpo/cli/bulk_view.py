"""Progress of a bulk judging on stderr: a bar in a terminal, a line a minute elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from blpo.cli.error_lines import say
from blpo.cli.judge_view import Rate
from blpo.runs.wording import count, dollars, duration

if TYPE_CHECKING:
    from blpo.bulk.bulk_judging import BulkJudging
    from blpo.bulk.ledger import Spent

_INTERVAL = 60.0
"""Seconds between two lines."""


class BulkView:
    """Samples done, the rate, the time left, failures and dollars."""

    def __init__(self, work: "BulkJudging", *, visible: bool) -> None:
        console = Console(stderr=True)
        self._is_bar = visible and console.is_terminal and not console.is_dumb_terminal
        self._has_lines = visible and not self._is_bar
        columns = (
            *(BarColumn(bar_width=16), MofNCompleteColumn(), Rate(), TimeRemainingColumn()),
            TextColumn("{task.fields[facts]}"),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not self._is_bar)
        self._work = work
        self._start = self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("", total=self._work.total, completed=self._work.before, facts="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, spent: "Spent") -> None:
        """Show the work and costs so far."""
        self._bar.update(self._task, completed=self._work.before + spent.rows, facts=_facts(spent))
        if self._has_lines and (now := time.monotonic()) - self._told >= _INTERVAL:
            self._told = now
            say(progress_line(self._work.before, self._work.total, spent, now - self._start))


def progress_line(before: int, total: int, spent: "Spent", seconds: float) -> str:
    """Return the progress in a line: `12.3k of 1M, 880/s, 19 min left, 12 without a verdict, $1.20`."""
    done, rate = before + spent.rows, spent.rows / seconds if seconds else 0.0
    rest = f", {duration((total - done) / rate)} left" if rate else ""
    facts = _facts(spent)
    return f"{count(done)} of {count(total)}, {rate:.3g}/s{rest}" + (f", {facts}" if facts else "")


def _facts(spent: "Spent") -> str:
    failed = f"{count(spent.failed)} without a verdict" if spent.failed else ""
    return ", ".join(filter(None, (failed, dollars(spent.usd) if spent.usd else "")))
