"""Worker process that runs cells in sequence: `python -m evals.worker`, started by `evals.workers` alone.

The worker reads JSON lines on stdin: first {"out", "models"}, then {"method", "settings"} for every cell, and {"drain"}
to stop the current cell at the next step. The worker writes JSON lines on stdout: {"event"} for a progress event of the
cell, and {"done"} or {"failed"} at the end of the cell. At the end of stdin the parent is gone: the worker ends at
once, and the progress of the cell is kept, as after any kill.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from langgraph.runtime import RunControl

from blpo.inference.open_run import SharedModels
from evals.run_cell import run_cell
from evals.shared_models import open_shared
from evals.workers import WorkerStart, failure
from state.settings import ModelsSettings, Settings

_Message = Mapping[str, Any]


async def work(messages: "asyncio.Queue[_Message]", stdout: TextIO, control: RunControl) -> None:
    """Run the cells of `messages` without end."""
    start = WorkerStart.model_validate(await messages.get())
    async with open_shared(start.out, start.models) as shared:
        while True:
            outcome = await _run(await messages.get(), shared, stdout, control)
            _write(stdout, outcome)


async def _run(
    cell: _Message, shared: Mapping[ModelsSettings, SharedModels], stdout: TextIO, control: RunControl
) -> _Message:
    settings = Settings.model_validate(cell["settings"])
    try:
        result = await run_cell(
            cell["method"],
            settings,
            shared[settings.models],
            lambda event: _write(stdout, {"event": event}),
            control,
        )
    except Exception as error:
        return {"failed": failure(error)}
    return {"done": result["status"]}


def _write(stdout: TextIO, message: _Message) -> None:
    stdout.write(json.dumps(message) + "\n")
    stdout.flush()


def _read(loop: asyncio.AbstractEventLoop, messages: "asyncio.Queue[_Message]", control: RunControl) -> None:
    """Read stdin in a thread of its own, because a cell may keep the event loop busy; then end the process.

    A parent that is killed may leave half a line.
    """
    try:
        for line in sys.stdin:
            message = json.loads(line)
            if "drain" in message:
                control.request_drain(message["drain"])
            else:
                loop.call_soon_threadsafe(messages.put_nowait, message)
    finally:
        os._exit(0)


async def main() -> None:
    """Run cells until stdin ends."""
    stdout, sys.stdout = sys.stdout, sys.stderr  # output of libraries must not mix with messages to the parent
    messages: asyncio.Queue[_Message] = asyncio.Queue()
    control = RunControl()
    threading.Thread(target=_read, args=(asyncio.get_running_loop(), messages, control), daemon=True).start()
    await work(messages, stdout, control)


if __name__ == "__main__":
    asyncio.run(main())
