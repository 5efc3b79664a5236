"""Where a judge's lines go: a stream, or a file that a killed process leaves in a state to go on from.

FILE has whole lines in the order of the inputs, so that it says how far the judging is. FILE.judging/ lies beside it:
the response store with every answer that was paid for, a copy of the judge, and a lock. Whoever goes on reads both:
lines with an answer keep their places, lines with an error are asked again, a torn last line is asked of the store.
Until all kept lines are written anew, FILE stays as it was.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO

from blpo.config.settings_file import measured_by
from blpo.deployment.verdict_lines import Judged, KeptLine, image_of, line_of, read_line
from blpo.inference.session import store_path
from blpo.runs.judge_file import JudgeFile, read_judge_file
from blpo.storage.locks import lock_folder
from blpo.storage.whole_files import put_in_place, write_whole
from state.errors import RunError
from state.sample import Sample


class Lines(Protocol):
    """Takes the lines of judged samples."""

    @property
    def store(self) -> Path | None:
        """The response store that belongs to the lines; None: none is kept."""

    def unfinished(self, samples: Iterable[Sample]) -> Iterable[Sample | Judged]:
        """The samples in order, those as judged whose lines are kept."""

    def write(self, judged: Judged) -> None:
        """Write the next line."""


class StreamLines:
    """Lines for a pipe or a terminal, which nobody can go on from."""

    store = None

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def unfinished(self, samples: Iterable[Sample]) -> Iterable[Sample | Judged]:
        """All samples, none of them judged."""
        return samples

    def write(self, judged: Judged) -> None:
        """Write the next line, for a reader to see at once."""
        self._stream.write(line_of(judged))
        self._stream.flush()


class VerdictFile:
    """Lines in a file, with the folder beside it that makes them last; a context manager.

    Entering raises `RunError` where there can be no such file, it is no work of this judge, or in use, and `OSError`.
    """

    def __init__(self, file: Path, judge: JudgeFile) -> None:
        self.file = file
        self.folder = file.with_name(file.name + ".judging")
        self.store = store_path(self.folder)
        self.kept = 0
        """Whole lines that were there."""
        self._judge = judge
        self._written = 0
        self._draft = self.folder / "lines.part"
        self._lock: TextIOWrapper | None = None
        self._stream: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        if not self.file.parent.is_dir():
            raise RunError(f"{self.file}: its folder does not exist; make it, or give another --out")
        if self.file.is_dir():
            raise RunError(f"{self.file}: is a folder; give a file")
        begun = (self.folder / "judge.yaml").exists()
        if not begun and self.file.exists() and self.file.stat().st_size:
            raise RunError(
                f"{self.file} exists, and {self.folder.name} with its answers doesn't; remove it, or give another --out"
            )
        self.folder.mkdir(exist_ok=True)
        self._lock = lock_folder(self.folder)
        try:
            self._require_judge(begun)
            self.kept = sum(1 for _ in self._kept_lines())
            self._stream = self._draft.open("w", encoding="utf-8", errors="backslashreplace")
            self._settle()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def unfinished(self, samples: Iterable[Sample]) -> Iterator[Sample | Judged]:
        """The samples in order, those as judged whose lines are kept; raises `RunError` where lines are of others."""
        lines = islice(self._kept_lines(), self.kept)  # no more: it may be this process's by then
        place = 0
        for place, sample in enumerate(samples, start=1):
            line = next(lines, None)
            if line is None:
                yield sample
                continue
            if (line.id, line.image) != (sample.id, image_of(sample)):
                raise RunError(
                    f"{self.file}:{place}: is of {line.id}, and the inputs now have {sample.id} in its place; "
                    "give the inputs it was begun with, or another --out"
                )
            yield sample if line.status == "error" else line.judged(sample)
        if place < self.kept:
            raise RunError(
                f"{self.file}: has {self.kept} lines, and the inputs now only {place} images; "
                "give the inputs it was begun with, or another --out"
            )

    def write(self, judged: Judged) -> None:
        """Write the next line; it survives a kill of the process."""
        assert self._stream is not None
        self._stream.write(line_of(judged))
        self._stream.flush()
        self._written += 1
        self._settle()

    def _settle(self) -> None:
        """Let what is written be the file, once it has all that the file had."""
        if self._written == self.kept:
            assert self._stream is not None
            put_in_place(self._draft, self.file)

    def _kept_lines(self) -> Iterator[KeptLine]:
        """The file's whole lines; raises `RunError` naming one that is damaged."""
        if not self.file.exists():
            return
        with self.file.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for number, text in enumerate(file, start=1):
                if not text.endswith("\n"):
                    return  # the process was killed as it wrote
                try:
                    yield read_line(text, self._judge.task)
                except ValueError as error:
                    raise RunError(
                        f"{self.file}:{number}: can't go on from this line, {error}; remove it and those after it"
                    ) from None

    def _require_judge(self, begun: bool) -> None:
        copy = self.folder / "judge.yaml"
        if not begun:
            write_whole(copy, self._judge.dump())
        elif measured_by(read_judge_file(copy).settings) != measured_by(self._judge.settings):
            raise RunError(f"{self.file}: was begun with another judge ({copy}); use that one, or give another --out")

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            if self._written < self.kept:
                with suppress(OSError):
                    self._draft.unlink()
        if self._lock is not None:
            self._lock.close()
