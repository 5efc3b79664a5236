"""The command `blpo` as a process, forked from a server that has imported everything.

The imports of a process take seconds, the work of a small run takes one. A signal meets the work of a forked process.
`tests.small_set.COMMAND` is the command with its imports.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

_SECONDS = 120
"""Longest time of a process that nobody stops."""
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["blpo.cli.search", "blpo.cli.main", "blpo.models.embedded.judge_model"])


@dataclass(frozen=True, slots=True)
class _Start:
    """Values that a process starts with."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    stdin: Path
    output: Path
    """Folder for the files `stdout` and `stderr`."""
    ignores_sigint: bool
    """True to start as a command in the background of a shell script: the shell lets the command ignore Ctrl-C."""


class ForkedBlpo:
    """A running `blpo`, in a session of its own. The output goes to files. The end of the block kills the process."""

    def __init__(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stdin: Path = Path(os.devnull),
        ignores_sigint: bool = False,
    ) -> None:
        self._output = TemporaryDirectory(prefix="blpo-output-")
        self._start = _Start(
            tuple(map(str, arguments)),
            dict(environment or {}),
            folder or Path.cwd(),
            stdin,
            Path(self._output.name),
            ignores_sigint,
        )
        self._process = _processes.Process(target=_main, args=(self._start,))
        self._process.start()

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(self, *error: object) -> None:
        """Kill the process, and remove the files of its output."""
        self.kill()
        self._output.cleanup()

    @property
    def is_running(self) -> bool:
        """True until the end of the process."""
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        """Id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code; None for a running process."""
        return self._process.exitcode

    @property
    def stdout(self) -> str:
        """Output so far."""
        return self._text("stdout")

    @property
    def stderr(self) -> str:
        """Messages so far."""
        return self._text("stderr")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> int:
        """End the process at once, and return the exit code: minus the number of the signal."""
        self._process.kill()
        return self.wait()

    def wait(self, seconds: float = _SECONDS) -> int:
        """Return the exit code at the end of the process; raises `TimeoutError`."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError(f"blpo still runs after {seconds:g} s; it printed {self.stderr[-500:]}")
        return self._process.exitcode

    def wait_for_message(self, text: str) -> None:
        """Return when `text` is among the messages; raises `AssertionError` if the process ends without."""
        while text not in self.stderr:
            assert self.is_running or text in self.stderr, f"never printed {text}: {self.stderr}"
            time.sleep(0.01)

    def _text(self, name: str) -> str:
        path = Path(self._output.name) / name
        return path.read_text(encoding="utf-8") if path.exists() else ""


def _main(start: _Start) -> None:
    """Run the command in the forked process."""
    from blpo.cli.main import main

    signal.signal(signal.SIGINT, signal.SIG_IGN if start.ignores_sigint else signal.default_int_handler)
    os.setsid()
    os.chdir(start.folder)
    os.environ.update(start.environment)
    for number, name in ((1, "stdout"), (2, "stderr")):
        with (start.output / name).open("wb") as file:
            os.dup2(file.fileno(), number)
    with start.stdin.open("rb") as file:
        os.dup2(file.fileno(), 0)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 # until the end of the process
    sys.exit(main(start.arguments))
