"""Verdict lines in a file that survives a kill and can be resumed.

FILE has whole lines in the order of the inputs, so the number of lines tells the progress. The folder FILE.judging/
holds the response store with all paid answers, a copy of the judge, and a lock. A resumed command reads FILE and the
store: lines with a verdict keep their places, lines with an error are asked again, a torn last line is answered by the
store. The folder `escalation` in it has the same for a second judge. FILE is replaced only once all old lines are
written again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from blpo.deployment.judge_identity import measuring_of
from blpo.deployment.verdict_lines import JudgedSample, VerdictLine, line_of, read_line
from blpo.inference.run_store import store_path
from blpo.runs.judge_file import JudgeFile, read_judge_file
from blpo.storage.locks import lock_folder
from blpo.storage.whole_files import put_in_place, write_whole
from state.errors import RunError
from state.sample import Sample


class VerdictFile:
    """Lines in a file, with the folder for resuming beside the file; a context manager.

    Entering raises `OSError`, and `RunError` if the file can't exist, belongs to another judge, or is in use.
    """

    def __init__(self, file: Path, judge: JudgeFile) -> None:
        self.file = file
        self.folder = file.with_name(file.name + ".judging")
        self.store = store_path(self.folder)
        self.old_lines = 0
        """Whole lines of an earlier command."""
        self._judge = judge
        self._count = 0
        self._draft = self.folder / "lines.part"
        self._lock: TextIOWrapper | None = None
        self._stream: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        resumes = self._require_place()
        self.folder.mkdir(exist_ok=True)
        self._lock = lock_folder(self.folder)
        try:
            self._require_judge(self.folder / "judge.yaml", self._judge, resumes=resumes)
            self.old_lines = sum(1 for _ in self._read_lines())
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

    def bind(self, calibration: Mapping[str, object]) -> None:
        """Keep what decides about confidences; raises `RunError` if old lines were written with another calibration."""
        file, text = self.folder / "calibration.json", json.dumps(calibration, sort_keys=True)
        old = file.read_text(encoding="utf-8") if file.exists() else "{}"
        if self.old_lines and old != text:
            raise RunError(
                f"{self.file}: was begun with another calibration of the confidences ({file});"
                " give the options and labelled samples of the first command, or another output file"
            )
        if old != text:
            write_whole(file, text)

    def second_store(self, judge: JudgeFile | None) -> Path | None:
        """Return the response store of a second judge; None for None.

        Old lines may have no second judge yet. Raises `RunError` if they have another one, or the only judge has now
        to do without.
        """
        folder = self.folder / "escalation"
        copy = folder / "judge.yaml"
        if judge is None:
            if self.old_lines and copy.exists():
                raise RunError(
                    f"{self.file}: was begun with a second judge; give --escalate {copy}, or another output file"
                )
            return None
        folder.mkdir(exist_ok=True)
        self._require_judge(copy, judge, resumes=copy.exists() and self.old_lines > 0)
        return store_path(folder)

    def merge(self, samples: Iterable[Sample]) -> Iterator[Sample | JudgedSample]:
        """Yield the samples in order; a sample with an old verdict comes as judged.

        Raises `RunError` if the old lines belong to other samples.
        """
        lines = islice(self._read_lines(), self.old_lines)  # no more: later lines are written by this process
        place = 0
        for place, sample in enumerate(samples, start=1):
            line = next(lines, None)
            if line is None:
                yield sample
                continue
            if not line.is_of(sample):
                raise RunError(
                    f"{self.file}:{place}: is of {line.id}, and the inputs now have {sample.id} in its place; "
                    "give the inputs of the first command, or another output file"
                )
            yield sample if line.status == "error" else line.judged(sample)
        if place < self.old_lines:
            raise RunError(
                f"{self.file}: has {self.old_lines} lines, and the inputs now only {place} images; "
                "give the inputs of the first command, or another output file"
            )

    def write(self, item: JudgedSample) -> None:
        """Write the next line; the line survives a kill of the process."""
        assert self._stream is not None
        self._stream.write(line_of(item))
        self._stream.flush()
        self._count += 1
        self._settle()

    def _settle(self) -> None:
        """Replace the file by the draft once the draft has as many lines as the file had."""
        if self._count == self.old_lines:
            assert self._stream is not None
            put_in_place(self._draft, self.file)

    def _read_lines(self) -> Iterator[VerdictLine]:
        """Yield the file's whole lines; raises `RunError` naming a damaged line."""
        if not self.file.exists():
            return
        with self.file.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for number, text in enumerate(file, start=1):
                if not text.endswith("\n"):
                    return  # torn by a kill
                try:
                    yield read_line(text, self._judge.scales)
                except ValueError as error:
                    raise RunError(
                        f"{self.file}:{number}: can't go on from this line, {error}; remove it and the lines after it"
                    ) from None

    def _require_place(self) -> bool:
        """Return True if there is work to resume; raises `RunError` if the file can't be written."""
        if not self.file.parent.is_dir():
            raise RunError(f"{self.file}: its folder does not exist; make it, or give another output file")
        if self.file.is_dir():
            raise RunError(f"{self.file}: is a folder; give a file")
        resumes = (self.folder / "judge.yaml").exists()
        if not resumes and self.file.exists() and self.file.stat().st_size:
            raise RunError(
                f"{self.file} exists, and {self.folder.name} with its answers doesn't; "
                "remove it, or give another output file"
            )
        return resumes

    def _require_judge(self, copy: Path, judge: JudgeFile, *, resumes: bool) -> None:
        if not resumes:
            write_whole(copy, judge.dump())
        elif measuring_of(read_judge_file(copy)) != measuring_of(judge):
            raise RunError(
                f"{self.file}: was begun with another judge ({copy}); use that judge, or give another output file"
            )

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            if self._count < self.old_lines:
                with suppress(OSError):
                    self._draft.unlink()
        if self._lock is not None:
            self._lock.close()
