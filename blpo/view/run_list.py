"""Rows of all runs of a folder. A run is read again only after a change of its files.

A list of 1,000 new runs takes longer than a person waits. Therefore a listing holds the rows that are ready in time,
newest first, and a thread reads the rest for the next listing.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

from blpo.reports.run_rows import RunRow, is_run, run_row
from blpo.runs.run_record import RunRecord
from blpo.runs.wording import single_line
from blpo.storage.locks import is_locked
from state.errors import BlpoError
from state.settings import Settings, TaskSettings

PATIENCE = 0.2
"""Seconds that a listing takes for new rows."""
_FILES = ("run.json", "result.json", "events.jsonl", "config.yaml")
_MOST_WORDS = 60
_Stamp = tuple[tuple[int, int] | bool, ...]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run of the list."""

    name: str
    row: RunRow
    task: str
    """Task in a few words; empty for an unreadable config."""

    @property
    def difference(self) -> float | None:
        """Change of the metric from the first to the selected prompt."""
        return None if self.row.before is None or self.row.after is None else self.row.after - self.row.before

    @property
    def parent(self) -> str:
        """Name of the run that this run is a fork of; empty for any other run."""
        return Path(self.row.parent).name if self.row.parent else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Runs that are read, newest first, and the number of further runs."""

    runs: tuple[ListedRun, ...]
    unread: int


class RunList:
    """Runs of a folder, kept by the times of their files."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._kept: dict[str, tuple[_Stamp, ListedRun]] = {}
        self._lock = Lock()
        self._reader: Thread | None = None

    def listing(self, patience: float = PATIENCE) -> Listing:
        """Return the rows after at most about `patience` seconds; a thread reads further rows."""
        end = time.monotonic() + patience
        stamps = _stamps(self._home)
        stale = sorted((name for name in stamps if self._is_stale(name, stamps)), key=lambda name: _age(stamps[name]))
        done = self._read(stale, stamps, end)
        if done < len(stale):
            self._read_on(stale[done:], stamps)
        with self._lock:
            self._kept = {name: entry for name, entry in self._kept.items() if name in stamps}
            runs = [run for _, run in self._kept.values()]
        runs.sort(key=lambda run: (run.row.created or "", run.name), reverse=True)
        return Listing(tuple(runs), len(stamps) - len(runs))

    def run(self, path: Path) -> ListedRun:
        """Return the row of one run."""
        stamp = _stamp(path)
        with self._lock:
            entry = self._kept.get(path.name)
        if entry is None or entry[0] != stamp:
            entry = stamp, _listed(path)
            with self._lock:
                self._kept[path.name] = entry
        return entry[1]

    def _is_stale(self, name: str, stamps: Mapping[str, _Stamp]) -> bool:
        entry = self._kept.get(name)
        return entry is None or entry[0] != stamps[name]

    def _read(self, names: Iterable[str], stamps: Mapping[str, _Stamp], end: float) -> int:
        """Read rows until `end`, and return their number."""
        done = 0
        for name in names:
            if time.monotonic() >= end:
                break
            run = _listed(self._home / name)
            with self._lock:
                self._kept[name] = stamps[name], run
            done += 1
        return done

    def _read_on(self, names: list[str], stamps: Mapping[str, _Stamp]) -> None:
        if self._reader is None or not self._reader.is_alive():
            self._reader = Thread(target=self._read, args=(names, stamps, float("inf")), daemon=True)
            self._reader.start()


def task_words(settings: Settings) -> str:
    """Return the task of a run in a few words: `rating 1 to 5`, `safe / unsafe`, or the names of several tasks."""
    words = ", ".join(settings.task_names) or _task_words(settings.task)
    line = single_line(words)
    return line if len(line) <= _MOST_WORDS else line[:_MOST_WORDS] + " …"


def _task_words(task: TaskSettings) -> str:
    match task.kind:
        case "ordinal":
            return f"rating {task.min} to {task.max}"
        case "pairwise":
            return "pairs"
        case "ranking":
            return "rankings"
    return " / ".join(map(str, task.labels))


def _listed(path: Path) -> ListedRun:
    row = run_row(path)
    try:
        task = "" if row.status == "broken" else task_words(RunRecord.read(path).settings)
    except BlpoError:
        task = ""
    return ListedRun(path.name, row, task)


def _stamps(home: Path) -> dict[str, _Stamp]:
    if not home.is_dir():
        return {}
    return {path.name: _stamp(path) for path in home.iterdir() if not path.is_symlink() and is_run(path)}


def _stamp(path: Path) -> _Stamp:
    """Return a value that changes with the files of the run, and with its process."""
    parts: list[tuple[int, int]] = []
    for name in _FILES:
        try:
            status = os.stat(path / name)
            parts.append((status.st_mtime_ns, status.st_size))
        except OSError:
            parts.append((0, 0))
    return (*parts, is_locked(path))


def _age(stamp: _Stamp) -> int:
    """Return the key of an order from the last changed run down."""
    return -max(part[0] for part in stamp if isinstance(part, tuple))
