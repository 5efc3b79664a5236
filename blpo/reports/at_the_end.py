"""A report at the end of every run. One that can't be made is a line of warning, never a failed run."""

import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from blpo.reports.run_page import write_report
from blpo.reports.wording import one_line
from blpo.runs.drive import OnEvent
from state.errors import BlpoError
from state.events import Event
from state.result import Result

P = ParamSpec("P")
_log = logging.getLogger("blpo")


def with_report(run: Callable[P, Coroutine[Any, Any, Result]]) -> Callable[P, Coroutine[Any, Any, Result]]:
    """`run`, which takes `on_event`, with report.html written at its end, also where it fails with a `BlpoError`."""

    @wraps(run)
    async def reported(*args: P.args, **kwargs: P.kwargs) -> Result:
        began = _Began(kwargs.get("on_event"))  # type: ignore[arg-type] # P is not known to hold it
        kwargs["on_event"] = began
        try:
            result = await run(*args, **kwargs)
        except BlpoError:
            await began.report()
            raise
        await began.report()
        return result

    return reported


class _Began:
    """Hands events on, and remembers the directory of the run that began."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self._directory: Path | None = None
        self._on_event = on_event

    def __call__(self, event: Event) -> None:
        if event["event"] == "started":
            self._directory = Path(event["run"])
        if self._on_event is not None:
            self._on_event(event)

    async def report(self) -> None:
        """Write the page; nothing where no run began, or it was stopped before there was anything to show."""
        if self._directory is None or not (self._directory / "result.json").exists():
            return
        try:
            await write_report(self._directory)
        except Exception as error:  # whatever is wrong with a page must not cost a run that may have taken days
            reason = str(error) if isinstance(error, BlpoError) else f"{type(error).__name__}: {error}"
            _log.warning("no report.html of %s: %s", self._directory, one_line(reason))
