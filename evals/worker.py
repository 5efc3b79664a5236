"""A process that runs cells one after the other: `python -m evals.worker`, started by `evals.workers` alone.

It reads JSON lines on stdin: first {"out", "models"}, then one {"method", "settings"} a cell, and {"drain"} where the
cell at hand is to stop at its next step. It writes JSON lines on stdout: {"event"} for each progress event of the cell
and {"done"} or {"failed"} at its end. When stdin ends, whoever started it is gone, and it ends at once: what a cell has
done is kept, as after any kill.
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
from evals.workers import Start, failure
from state.settings import ModelsSettings, Settings

Line = Mapping[str, Any]


async def work(lines: "asyncio.Queue[Line]", stdout: TextIO, control: RunControl) -> None:
    """Take cells from `lines` for ever."""
    start = Start.model_validate(await lines.get())
    async with open_shared(start.out, start.models) as shared:
        while True:
            outcome = await _one(await lines.get(), shared, stdout, control)
            _write(stdout, outcome)


async def _one(cell: Line, shared: Mapping[ModelsSettings, SharedModels], stdout: TextIO, control: RunControl) -> Line:
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


def _write(stdout: TextIO, line: Line) -> None:
    stdout.write(json.dumps(line) + "\n")
    stdout.flush()


def _read(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[Line]", control: RunControl) -> None:
    """Hand on what is read, from a thread of its own: a cell may keep the loop busy."""
    for text in sys.stdin:
        line = json.loads(text)
        if "drain" in line:
            control.request_drain(line["drain"])
        else:
            loop.call_soon_threadsafe(lines.put_nowait, line)
    os._exit(0)


async def main() -> None:
    """Work until stdin ends."""
    stdout, sys.stdout = sys.stdout, sys.stderr  # what a library may print is no line for who started it
    lines: asyncio.Queue[Line] = asyncio.Queue()
    control = RunControl()
    threading.Thread(target=_read, args=(asyncio.get_running_loop(), lines, control), daemon=True).start()
    await work(lines, stdout, control)


if __name__ == "__main__":
    asyncio.run(main())
