"""Runners of cells: this process for models on servers, worker processes for embedded models.

Workers are plain subprocesses, not a `ProcessPoolExecutor`. A pool's processes stay alive without the lock on the
experiment when the parent is killed, the death of one process fails the cells of all, and a pool needs a
`__main__` guard in the user's script.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl
from pydantic import BaseModel

from blpo.config.settings_file import plain_settings
from blpo.inference.open_run import SharedModels
from blpo.runs.driver import OnEvent
from evals.cells import Cell
from evals.run_cell import run_cell
from state.errors import BlpoError
from state.result import RunStatus
from state.settings import ModelsSettings

LOG = "workers.log"
"""File with the stderr of worker processes."""
_LONGEST_LINE = 64 * 2**20
_ROOT = Path(__file__).parent.parent
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a worker: threads of numpy, scipy and scikit-learn would compete with the other workers."""


class CellFailed(Exception):
    """Raised for a cell without a result; the message is the reason in a line."""


class WorkerStart(BaseModel):
    """First message to a worker process."""

    out: Path
    models: tuple[ModelsSettings, ...]
    """Models of all cells."""


Runner = Callable[[Cell, OnEvent], Awaitable[RunStatus]]
"""Function that runs a cell to its end and returns the status of the run; raises `CellFailed`."""


def failure(error: Exception) -> str:
    """Return the reason of a failure in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, BlpoError) else f"internal error: {type(error).__name__}: {text}"


class InProcess:
    """Runner of cells in this process. Cells run at once, because cells wait for servers."""

    def __init__(self, shared: Mapping[ModelsSettings, SharedModels], control: RunControl) -> None:
        self._shared = shared
        self._control = control

    async def run(self, cell: Cell, on_event: OnEvent) -> RunStatus:
        """Run a cell to the end, and return the status of the run; raises `CellFailed`."""
        shared = self._shared[cell.settings.models]
        try:
            result = await run_cell(cell.method, cell.settings, shared, on_event, self._control)
        except Exception as error:
            raise CellFailed(failure(error)) from error
        return result["status"]


class Worker:
    """Runner with a worker process (`evals.worker`) for one cell at a time. A dead process is replaced."""

    def __init__(self, start: WorkerStart, lock: int, control: RunControl) -> None:
        self._start = start
        self._lock = lock
        self._control = control
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, cell: Cell, on_event: OnEvent) -> RunStatus:
        """Run a cell to the end, and return the status of the run; raises `CellFailed`."""
        process = self._process = self._process or await self._start_process()
        assert process.stdout is not None
        self._send({"method": cell.method, "settings": plain_settings(cell.settings)})
        if self._control.drain_requested:
            self.drain()
        while line := await process.stdout.readline():
            message = json.loads(line)
            if "event" in message:
                on_event(message["event"])
            elif "failed" in message:
                raise CellFailed(message["failed"])
            else:
                status: RunStatus = message["done"]
                return status
        self._process = None
        raise CellFailed(
            f"its process ended with exit code {await process.wait()}; {self._start.out / LOG} may say why"
        )

    def drain(self) -> None:
        """Stop the current cell at its next step."""
        if self._process is not None:
            self._send({"drain": self._control.drain_reason})

    async def close(self) -> None:
        """End the worker process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _start_process(self) -> asyncio.subprocess.Process:
        """Start a process that ends with the parent. The process holds the lock on the experiment to the end."""
        with (self._start.out / LOG).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "evals.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LONGEST_LINE,
                cwd=_ROOT,
                env={**os.environ, **_ONE_THREAD},
                pass_fds=[self._lock],
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
        self._send(self._start.model_dump(mode="json"))
        return self._process


@asynccontextmanager
async def open_workers(start: WorkerStart, lock: int, count: int, control: RunControl) -> AsyncIterator[list[Worker]]:
    """Yield `count` workers. The workers drain with `control`, and end with the block."""
    workers = [Worker(start, lock, control) for _ in range(count)]
    drain = asyncio.create_task(_hand_on_drain(workers, control))
    try:
        yield workers
    finally:
        drain.cancel()
        await asyncio.gather(*(worker.close() for worker in workers), return_exceptions=True)


async def _hand_on_drain(workers: list[Worker], control: RunControl) -> None:
    """Poll `control` and drain the workers: a control has no event to wait for, because a signal handler sets it."""
    while not control.drain_requested:
        await asyncio.sleep(0.1)
    for worker in workers:
        worker.drain()
