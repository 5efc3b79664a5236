"""What views of work under way share: a clock, lines told one after the other, or a frame drawn again and again."""

import os
import time
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live

from blpo.cli.lasting import Lasting
from blpo.cli.wording import duration, one_line


class Watching:
    """Looks on for as long as it is entered, and shows nothing."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def notify(self, notice: str) -> None:
        """Say that it will stop; called from a signal handler, so nothing is written through a buffer."""

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        return False

    @property
    def elapsed(self) -> str:
        """How long this process has been at it."""
        return duration(time.monotonic() - self._began)


class Telling(Watching):
    """Writes lines; each begins with the time."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = Lasting(stream)

    def notify(self, notice: str) -> None:
        """Say that it will stop."""
        with suppress(OSError, ValueError):
            os.write(self._stream.fileno(), f"{self.elapsed:>6}  {notice}\n".encode())

    def _tell(self, line: str) -> None:
        self._stream.write(f"{self.elapsed:>6}  {one_line(line)}\n")
        self._stream.flush()


class Drawing(Watching):
    """Draws a frame again four times a second; its last state stays on the terminal, if anything has begun."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._notice = ""
        console = Console(file=cast(TextIO, Lasting(stream)), force_terminal=True)
        self._live = Live(get_renderable=self._frame, console=console, redirect_stdout=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.transient = not self.begun  # what did not begin leaves only its error
        self._live.stop()

    def notify(self, notice: str) -> None:
        """Say that it will stop."""
        self._notice = notice

    def _frame(self) -> RenderableType:
        raise NotImplementedError
