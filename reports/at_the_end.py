"""Runs with a report at their end. A report that can't be made is one line of warning, never a failed run."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

from driver import runs
from driver.drive import OnEvent
from driver.runs import Config
from reports.run_page import REPORT, write_report
from reports.wording import one_line
from state.errors import BlpoError
from state.result import Result

_log = logging.getLogger("blpo")


async def optimize(
    config: Config = None,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
) -> Result:
    """As `driver.runs.optimize`, with report.html written also for a run that failed."""
    began = _Began(on_event)
    try:
        result = await runs.optimize(config, overrides=overrides, on_event=began, control=control)
    except BlpoError:
        await _report(began.directory)
        raise
    await _report(began.directory)
    return result


async def resume(
    directory: str | Path,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
) -> Result:
    """As `driver.runs.resume`, with report.html written unless a finished run has it already."""
    began = _Began(on_event)
    try:
        result = await runs.resume(directory, overrides=overrides, on_event=began, control=control)
    except BlpoError:
        await _report(began.directory)
        raise
    if began.directory is not None or not (Path(directory) / REPORT).exists():
        await _report(Path(directory))
    return result


class _Began:
    """Hands events on, and remembers the directory of the run that began."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self.directory: Path | None = None
        self._on_event = on_event

    def __call__(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "started":
            self.directory = Path(event["run"])
        if self._on_event is not None:
            self._on_event(event)


async def _report(directory: Path | None) -> None:
    if directory is None or not (directory / "result.json").exists():
        return  # it did not begin, or was stopped before there was anything to show
    try:
        await write_report(directory)
    except BlpoError as error:
        _warn(directory, str(error))
    except Exception as error:  # whatever is wrong with a page must not cost a run that may have taken days
        _warn(directory, f"{type(error).__name__}: {error}")


def _warn(directory: Path, reason: str) -> None:
    _log.warning("no report.html of %s: %s", directory, one_line(reason))
