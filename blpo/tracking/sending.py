"""The process that sends a run, seen from the run: start, messages, and a bounded wait at the end."""

import asyncio
import json
import os
import shlex
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from blpo.tracking.open_tracker import tracker_place
from state.settings import TrackerName

PATIENCE = 20.0
"""Longest wait at the end of a run for the next step of the tracker, in seconds."""
MOST_SECONDS = 120.0
"""Longest wait at the end of a run in all, with the import of the tracker."""
_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_SILENT": "true",
}
"""Environment of the process, where the user's own says nothing else."""


class Sending:
    """`blpo.tracking.sender_process` at work on one run."""

    def __init__(self, directory: Path, name: TrackerName, group: str, warn: Callable[[str], None]) -> None:
        self._arguments = (str(directory), name, group)
        self._name: TrackerName = name
        self._directory = directory
        self._warn = warn
        self._heard: float | None = None
        """Time of the last step; None while the process still imports the tracker."""

    async def run(self, ended: asyncio.Event) -> None:
        """Send until the run has ended and the record is whole. Never raises but for a cancellation."""
        try:
            process = await self._start()
        except OSError as error:
            self._warn(f"{self._name}: the process of the tracker can't start: {error.strerror}")
            return
        listening = asyncio.create_task(self._listen(process))
        try:
            await ended.wait()
            self._heard = self._heard and _now()
            with suppress(OSError):
                assert process.stdin is not None
                process.stdin.write(b"end\n")
                await process.stdin.drain()
            if not await self._is_done(listening):
                self._warn(
                    f"{tracker_place(self._name)} did not take all in time, so send the rest by: blpo resume"
                    f" {shlex.quote(str(self._directory))}"
                )
        finally:
            listening.cancel()
            _kill(process)
            await process.wait()

    async def _start(self) -> Process:
        """Start the process in a group of its own: Ctrl-C reaches the parent alone, and a kill all of its children."""
        paths = filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # no module of the working directory hides one of ours
            "-m",
            "blpo.tracking.sender_process",
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={**_ENVIRONMENT, **os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._heard = _now()
            message = json.loads(line)
            if "warning" in message:
                self._warn(message["warning"])
        if code := await process.wait():
            self._warn(f"{self._name}: the process of the tracker ended with exit code {code}")

    async def _is_done(self, listening: asyncio.Task[None]) -> bool:
        """Wait for the end of the process; return False if it is not in time."""
        deadline = _now() + MOST_SECONDS
        while not listening.done():
            limit = deadline if self._heard is None else min(self._heard + PATIENCE, deadline)
            seconds = limit - _now()
            if seconds <= 0:
                return False
            await asyncio.wait([listening], timeout=seconds)
        return True


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _now() -> float:
    return asyncio.get_running_loop().time()
