"""Destinations of verdict lines: a file that can be resumed, a stream, or nothing."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from blpo.deployment.verdict_file import VerdictFile
from blpo.deployment.verdict_lines import JudgedSample, line_of
from blpo.runs.judge_file import JudgeFile
from state.sample import Sample


class VerdictSink(Protocol):
    """Destination of verdict lines."""

    @property
    def store(self) -> Path | None:
        """Response store of the lines; None: a temporary store."""

    @property
    def old_lines(self) -> int:
        """Whole lines of an earlier command."""

    def bind(self, calibration: Mapping[str, object]) -> None:
        """Keep what decides about confidences in lines; raises `RunError` if old lines were written with another."""

    def second_store(self, judge: JudgeFile | None) -> Path | None:
        """Return the store of a second judge; None: a temporary store. Raises `RunError` for another than before."""

    def merge(self, samples: Iterable[Sample]) -> Iterable[Sample | JudgedSample]:
        """Yield the samples in order; a sample with an old verdict comes as judged."""

    def write(self, item: JudgedSample) -> None:
        """Write the next line."""


class NoLines:
    """Sink that drops all lines: only the summary is needed."""

    store = None
    old_lines = 0

    def bind(self, calibration: Mapping[str, object]) -> None:
        """Keep nothing: there are no old lines."""

    def second_store(self, judge: JudgeFile | None) -> Path | None:
        """Return None: nothing is kept."""
        return None

    def merge(self, samples: Iterable[Sample]) -> Iterable[Sample | JudgedSample]:
        """Return all samples, none judged."""
        return samples

    def write(self, item: JudgedSample) -> None:
        """Write nothing."""


class StreamLines(NoLines):
    """Lines for a pipe or a terminal, which can't be resumed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, item: JudgedSample) -> None:
        """Write the next line and flush, so that a reader sees the line at once."""
        self._stream.write(line_of(item))
        self._stream.flush()


@contextmanager
def open_lines(out: Path | None, judge: JudgeFile) -> Iterator[VerdictSink]:
    """Open the sink for `out`: a file that can be resumed, or a stream if `out` is no regular file (a pipe, say).

    An `OSError` without a file name gets the name of `out`.
    """
    try:
        if out is None:
            yield NoLines()
        elif out.exists() and not out.is_file() and not out.is_dir():
            with out.open("w", encoding="utf-8", errors="backslashreplace") as stream:
                yield StreamLines(stream)
        else:
            with VerdictFile(out.resolve() if out.is_symlink() else out, judge) as file:
                yield file
    except OSError as error:
        error.filename = error.filename or out
        raise
