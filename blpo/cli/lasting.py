"""A stream that outlasts its reader."""

import io
from contextlib import suppress
from typing import TextIO


class Lasting(io.TextIOBase):
    """A stream whose reader may go away: what can't be written is dropped, since a run must not end for its view."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if it can be written."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush, if it can be flushed."""
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        """The stream's own."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """The stream's own."""
        return self._stream.isatty()
