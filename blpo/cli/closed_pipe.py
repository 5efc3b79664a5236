"""Text stream that ignores a closed pipe."""

import io
from contextlib import suppress
from typing import TextIO


class ClosedPipeStream(io.TextIOBase):
    """Stream that drops text after the reader has gone, because a run must not end with its view."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it if the pipe is closed."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush the stream if the pipe is open."""
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Return True if the stream is a terminal."""
        return self._stream.isatty()
