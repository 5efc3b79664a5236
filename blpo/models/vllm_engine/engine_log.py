"""Log of the engine on stderr: stdout holds the lines of `blpo`, and other programs read these lines.

vLLM writes the log to stdout. Libraries below vLLM (Gloo, NCCL) write to file descriptor 1, also in child processes.
"""

import io
import os
import sys

_STREAM = "VLLM_LOGGING_STREAM"
"""Environment variable of vLLM: the stream of the log, in this process and in all child processes."""
_STDOUT, _STDERR = 1, 2


def log_to_stderr() -> None:
    """Send the log to stderr from now on; call before `vllm` is imported. A second call does nothing.

    A user's own `VLLM_LOGGING_STREAM` stays. Python's stdout keeps its file: only the descriptor's number changes.
    """
    os.environ.setdefault(_STREAM, "ext://sys.stderr")
    file = _file_of_stdout()
    if file is None or sys.__stderr__ is None:
        return
    # Every holder of the stream writes to the same file as before, so no line of another thread can be lost.
    file.__init__(os.dup(_STDOUT), "w")  # type: ignore[misc] # a new descriptor for the object, not a new object
    os.dup2(_STDERR, _STDOUT)


def _file_of_stdout() -> io.FileIO | None:
    """Return the file below Python's stdout if the file has descriptor 1; notebooks and tests have other streams."""
    stream = sys.__stdout__
    buffer = getattr(stream, "buffer", None)
    file = getattr(buffer, "raw", buffer)  # no buffer with `python -u`
    if stream is None or not isinstance(file, io.FileIO) or file.closed or file.fileno() != _STDOUT:
        return None
    stream.flush()
    return file
