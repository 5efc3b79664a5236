"""The graph as the API server and Studio run it: with run directories, so that the command line can go on with a run.

Each thread is a run of the folder BLPO_RUNS (default: runs/). A thread that began on the command line goes on with the
settings of its run; a new one takes them from the context and keeps its files in a folder named after the thread. While
the server works on a run it holds the lock of its directory. What blocks is done in threads.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.runtime import ServerRuntime

from blpo.inference.open_run import open_run
from blpo.inference.run_store import store_place
from blpo.runs.driver import BLPO, Driver, Graph
from blpo.runs.server_threads import ServedContext, ThreadRun, checkpoint_target, directories, run_of_thread
from blpo.storage.checkpoints import open_checkpoints
from graph.outer import builder
from state.errors import BlpoError

GRAPH = "blpo"
"""The graph's name in langgraph.json."""
LOOK_AGAIN = 2.0
"""Seconds between two looks for runs that the command line has begun."""


class RunRefused(BlpoError, RuntimeError):
    """Any `BlpoError`, as a kind of error whose message the server passes on."""


class _InOneLine(logging.Filter):
    """Leaves the traceback out of what the server logs of a refusal: its line says what to do."""

    def filter(self, record: logging.LogRecord) -> bool:
        event = record.msg  # structlog's, a mapping
        if isinstance(event, dict) and RunRefused.__name__ in str(event.get("exception", "")):
            record.msg = {name: value for name, value in event.items() if name != "exception"}
        return True


_served = copy(builder)
_served.context_schema = ServedContext


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[str]]:
    """The server's saver; as long as it is open, runs of the folder are listed as the server's threads."""
    target = await asyncio.to_thread(checkpoint_target)
    logging.getLogger("langgraph_api.worker").addFilter(_InOneLine())
    async with open_checkpoints(target) as saver:
        listing = asyncio.create_task(_list_runs())
        try:
            yield saver
        finally:
            listing.cancel()
            with suppress(asyncio.CancelledError):
                await listing


@asynccontextmanager
async def graph(config: RunnableConfig, runtime: ServerRuntime[Any]) -> AsyncIterator[Graph]:
    """Both loops; while they are executed, in the run directory of the thread."""
    compiled = _served.compile(name=GRAPH)
    execution = runtime.execution_runtime
    if execution is None:  # asked for its drawing, its schemas or its state
        yield compiled
        return
    thread = str(config["configurable"]["thread_id"])
    try:
        run = await asyncio.to_thread(run_of_thread, thread, execution.context or {})
        try:
            async with _working(run):
                yield compiled
        finally:
            await asyncio.to_thread(run.directory.close)
    except BlpoError as error:
        raise RunRefused(str(error)) from None  # its log shows the line, not its cause


@asynccontextmanager
async def _working(run: ThreadRun) -> AsyncIterator[None]:
    """Hold the open run for the graph's nodes, and write its files when the graph has stopped."""
    directory, settings, thread = run.directory, run.settings, run.directory.info.thread_id
    place = store_place(settings, directory.path, thread)
    checkpoints = await asyncio.to_thread(lambda: directory.checkpoints)
    drive = Driver(directory, BLPO, settings, None, None)
    async with (
        open_run(settings, place, thread=thread, dataset=run.dataset) as opened,
        open_checkpoints(checkpoints) as saver,
    ):
        own = builder.compile(checkpointer=saver, name=GRAPH)
        await drive.begin(own, opened)
        try:
            yield
        except BlpoError as error:
            await drive.conclude(own, opened, "failed", str(error))
            raise
        await drive.conclude(own, opened, "interrupted", "stopped on the server")


async def _list_runs() -> None:
    """Make the runs of the folder threads of the server, as they appear."""
    client, listed = get_client(), set[str]()
    while True:
        for thread, path in (await asyncio.to_thread(directories)).items():
            if thread not in listed and await _listed(client, thread, path):
                listed.add(thread)
        await asyncio.sleep(LOOK_AGAIN)


async def _listed(client: LangGraphClient, thread: str, path: Path) -> bool:
    """Make a run a thread, unless it is one; False where the server is not ready yet."""
    import httpx

    try:
        await client.threads.create(
            thread_id=thread, graph_id=GRAPH, if_exists="do_nothing", metadata={"run": path.name}
        )
    except httpx.HTTPError:
        return False
    return True


async def _open_once() -> None:
    async with open_checkpoints(await asyncio.to_thread(checkpoint_target)):
        pass


def main() -> int:
    """Say in one line why the server could not keep its checkpoints, before it starts and says it in many."""
    try:
        asyncio.run(_open_once())
    except BlpoError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
