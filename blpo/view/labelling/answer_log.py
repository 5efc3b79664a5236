"""Answers of raters as JSON lines, a file for each rater. A line is on the disk before the page goes on.

Lines are only appended: an undo is a line too. So a kill loses nothing, and two browsers never lose each other's
answers. The last answer of a rater to a sample counts.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from blpo.runs.json_lines import read_log_lines
from blpo.runs.wording import single_line
from state.errors import DataError, StoreError
from state.sample import Label

FOLDER = "labelling"
MOST_NAME = 80
"""Longest name of a rater, in characters."""
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class RaterAnswers:
    """Answers of one rater, after all undos."""

    rater: str
    labels: Mapping[str, Label] = field(default_factory=dict)
    """Labels by sample, in the order of the answers."""
    flags: frozenset[str] = frozenset()
    """Samples that the rater wants to talk about."""
    history: tuple[str, ...] = ()
    """Samples of the answers, the last answer last."""


@dataclass(frozen=True)
class AnswerLog:
    """Answers in a folder."""

    folder: Path

    def label(self, rater: str, sample: str, label: Label) -> None:
        """Append an answer."""
        self._append(rater, {"id": sample, "label": label})

    def undo(self, rater: str) -> None:
        """Take back the last answer that counts."""
        self._append(rater, {"undo": True})

    def flag(self, rater: str, sample: str, is_flagged: bool) -> None:
        """Mark a sample, or take the mark away."""
        self._append(rater, {"id": sample, "flag": is_flagged})

    def of(self, rater: str) -> RaterAnswers:
        """Return the answers of a rater."""
        return _replayed(rater, _lines(self._file(rater)))

    @property
    def raters(self) -> list[RaterAnswers]:
        """Answers of all raters, by name."""
        lines = [list(_lines(file)) for file in sorted(self.folder.glob("*.jsonl"))]
        return sorted((_replayed(str(own[0]["rater"]), own) for own in lines if own), key=lambda each: each.rater)

    def _append(self, rater: str, content: Mapping[str, object]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({**content, "rater": rater, "at": at}, ensure_ascii=False) + "\n"
        file = self._file(rater)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a line cut short by a loss of power
                    line = "\n" + line
                os.write(descriptor, line.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreError(f"{file} can't be written: {error.strerror}; the answer is not saved") from None

    def _file(self, rater: str) -> Path:
        stem = _NOT_A_LETTER.sub("-", rater.lower()).strip("-")[:40]
        return self.folder / f"{stem}-{sha256(rater.encode()).hexdigest()[:8]}.jsonl"


def rater_name(text: str) -> str:
    """Return the name of a rater as typed, in one line; raises `DataError` for none, and for a long name."""
    name = single_line(text)
    if not name or len(name) > MOST_NAME:
        raise DataError(f"give the name of the person who labels, of at most {MOST_NAME} characters")
    return name


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a rater's file without damaged lines; none of a file that can't be read."""
    with suppress(OSError):
        yield from (line for line in read_log_lines(file) if isinstance(line.get("rater"), str))


def _replayed(rater: str, lines: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> RaterAnswers:
    answers: list[tuple[str, Label]] = []
    flags: dict[str, bool] = {}
    for line in lines:
        name = str(line.get("id", ""))
        if "undo" in line:
            answers = answers[:-1]
        elif "flag" in line:
            flags[name] = line["flag"] is True
        elif isinstance(line.get("label"), str | int):
            answers.append((name, line["label"]))
    labels = {name: label for name, label in answers}
    return RaterAnswers(
        rater, labels, frozenset(name for name, on in flags.items() if on), tuple(n for n, _ in answers)
    )
