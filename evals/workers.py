"""Who runs cells: this process, for models on servers, or processes of their own, for embedded models."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl
from pydantic import BaseModel

from blpo.inference.open_run import SharedModels
from blpo.runs.drive import OnEvent
from evals.cells import Cell
from evals.run_cell import run_cell
from state.errors import BlpoError
from state.result import RunStatus
from state.settings import ModelsSettings

LOG = "workers.log"
"""What worker processes say on stderr."""
_LONGEST_LINE = 64 * 2**20
_ROOT = Path(__file__).parent.parent


class CellFailed(Exception):
    """A cell ended without a result; the message says why, in a line."""


class Start(BaseModel):
    """What a worker process is told at first."""

    out: Path
    models: tuple[ModelsSettings, ...]
    """Of all cells."""


Runner = Callable[[Cell, OnEvent], Awaitable[RunStatus]]
"""Runs a cell to its end and returns its status; raises `CellFailed`."""


def failure(error: Exception) -> str:
    """Why a cell failed, in a line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, BlpoError) else f"internal error: {type(error).__name__}: {text}"


class InProcess:
    """Runs cells in this process, as many at once as it is asked for: they wait for servers."""

    def __init__(self, shared: Mapping[ModelsSettings, SharedModels], control: RunControl) -> None:
        self._shared = shared
        self._control = control

    async def run(self, cell: Cell, on_event: OnEvent) -> RunStatus:
        """Run a cell to its end and return its status; raises `CellFailed`."""
        shared = self._shared[cell.settings.models]
        try:
            result = await run_cell(cell.method, cell.settings, shared, on_event, self._control)
        except Exception as error:
            raise CellFailed(failure(error)) from error
        return result["status"]


class Worker:
    """A process of its own (`evals.worker`), which runs one cell at a time; one that dies is replaced."""

    def __init__(self, start: Start, lock: int, control: RunControl) -> None:
        self._start = start
        self._lock = lock
        self._control = control
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, cell: Cell, on_event: OnEvent) -> RunStatus:
        """Run a cell to its end and return its status; raises `CellFailed`."""
        process = self._process = self._process or await self._started()
        assert process.stdout is not None
        self._tell({"method": cell.method, "settings": cell.settings.model_dump(mode="json")})
        if self._control.drain_requested:
            self.drain()
        while line := await process.stdout.readline():
            said = json.loads(line)
            if "event" in said:
                on_event(said["event"])
            elif "failed" in said:
                raise CellFailed(said["failed"])
            else:
                status: RunStatus = said["done"]
                return status
        self._process = None
        raise CellFailed(
            f"its process ended with exit code {await process.wait()}; {self._start.out / LOG} may say why"
        )

    def drain(self) -> None:
        """Let the cell at hand stop at its next step."""
        if self._process is not None:
            self._tell({"drain": self._control.drain_reason})

    async def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    def _tell(self, line: Mapping[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def _started(self) -> asyncio.subprocess.Process:
        """A process that ends when this one does, and holds the lock on the experiment until then."""
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
                pass_fds=[self._lock],
                start_new_session=True,  # Ctrl-C is for the process that leads
            )
        self._tell(self._start.model_dump(mode="json"))
        return self._process


@asynccontextmanager
async def open_workers(start: Start, lock: int, count: int, control: RunControl) -> AsyncIterator[list[Worker]]:
    """So many workers, which are told when `control` drains and end at the end."""
    workers = [Worker(start, lock, control) for _ in range(count)]
    watching = asyncio.create_task(_hand_on_drain(workers, control))
    try:
        yield workers
    finally:
        watching.cancel()
        await asyncio.gather(*(worker.close() for worker in workers), return_exceptions=True)


async def _hand_on_drain(workers: list[Worker], control: RunControl) -> None:
    """A control has no event to wait for: it is set by a signal's handler."""
    while not control.drain_requested:
        await asyncio.sleep(0.1)
    for worker in workers:
        worker.drain()
