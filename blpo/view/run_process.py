"""Processes of runs that a page has begun. A process is a session of its own and outlives the page's server.

The folder `.view` beside the runs holds a record and the output of each process. Only such processes are stopped from a
page, and only if the lock of the run names the process: an id may belong to another process by now.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from blpo.runs.wording import plain
from blpo.storage.locks import holder, is_locked
from blpo.storage.whole_files import write_whole
from state.errors import RunError

FOLDER = ".view"
_YOUNG = 120.0
"""Seconds in which a process may come to the lock of its run."""
_MOST_OUTPUT = 20_000


class Child(Protocol):
    """A process begun by this server."""

    @property
    def pid(self) -> int:
        """Id of the process."""
        ...

    def poll(self) -> int | None:
        """Return the exit code; None for a process at work."""
        ...


Launch = Callable[[Sequence[str], Path, Path], Child]
"""Begins `blpo`: the arguments, the working directory, and the file of the output."""


def launch_blpo(arguments: Sequence[str], folder: Path, output: Path) -> Child:
    """Begin `blpo` in a session of its own."""
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "blpo", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@dataclass
class RunProcesses:
    """Processes by the name of the run."""

    home: Path
    folder: Path
    """Working directory of the processes."""
    launch: Launch = launch_blpo
    _children: dict[str, Child] = field(default_factory=dict)

    def begin(self, name: str, arguments: Sequence[str]) -> None:
        """Begin `blpo` with `arguments`, for the run `name`; raises `RunError` if a process works on the run."""
        if is_locked(self.home / name) or self.is_starting(name):
            raise RunError(f"a process is working on {name}; wait for it, or stop it")
        own = self.home / FOLDER
        own.mkdir(parents=True, exist_ok=True)
        child = self.launch(arguments, self.folder, own / f"{name}.log")
        self._children[name] = child
        write_whole(own / f"{name}.json", json.dumps({"pid": child.pid, "at": time.time()}))

    def write(self, name: str, text: str) -> Path:
        """Write a file for a process, and return its path."""
        own = self.home / FOLDER
        own.mkdir(parents=True, exist_ok=True)
        write_whole(own / name, text)
        return own / name

    def is_starting(self, name: str) -> bool:
        """Return True if a process has begun a moment ago and does not work on the run yet."""
        pid, at = self._record(name)
        child = self._children.get(name)
        if child is not None:
            return child.poll() is None and not is_locked(self.home / name)
        return pid is not None and time.time() - at < _YOUNG and _is_alive(pid) and not is_locked(self.home / name)

    def is_known(self, name: str) -> bool:
        """Return True if a page has begun a process for the run."""
        return self._record(name)[0] is not None

    def can_stop(self, name: str) -> bool:
        """Return True if the process at work on the run was begun by a page."""
        pid, _ = self._record(name)
        return pid is not None and holder(self.home / name) == pid

    def stop(self, name: str) -> None:
        """Ask the process to stop after the current step, and to stop at once the second time; raises `RunError`.

        A process that does not work on the run yet stops at once.
        """
        pid, _ = self._record(name)
        if pid is None or not (self.can_stop(name) or self.is_starting(name)):
            raise RunError(f"no process of {name} was begun by a page; stop it where it was begun, with Ctrl-C")
        os.kill(pid, signal.SIGTERM)

    def output(self, name: str) -> str:
        """Return the end of the output of the last process."""
        try:
            with (self.home / FOLDER / f"{name}.log").open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST_OUTPUT))
                return plain(file.read().decode("utf-8", errors="replace"))
        except OSError:
            return ""

    def _record(self, name: str) -> tuple[int | None, float]:
        try:
            content = json.loads((self.home / FOLDER / f"{name}.json").read_bytes())
            return int(content["pid"]), float(content["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, 0.0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
