"""The graph for the API server and Studio, with run directories, for a resume on the command line too.

Each thread is a run of the folder BLPO_RUNS (default: runs/). A thread from the command line keeps the settings of the
run. A new thread takes settings from the context and keeps files in a folder named after the thread. While the server
works on a run, the server holds the lock of the run directory. Blocking calls are made in threads.
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
"""Name of the graph in langgraph.json."""
LISTING_INTERVAL = 2.0
"""Seconds between two searches for new runs of the command line."""


class RunRefused(BlpoError, RuntimeError):
    """A `BlpoError` and `RuntimeError`: the server passes on the message."""


class _InOneLine(logging.Filter):
    """Filter that removes the traceback from logged refusals: the message says enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        event = record.msg  # structlog's, a mapping
        if isinstance(event, dict) and RunRefused.__name__ in str(event.get("exception", "")):
            record.msg = {name: value for name, value in event.items() if name != "exception"}
        return True


_served = copy(builder)
_served.context_schema = ServedContext


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Open the server's saver. While the saver is open, runs of the folder are listed as threads of the server."""
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
    """Yield both loops; during an execution, with the thread's run directory locked."""
    compiled = _served.compile(name=GRAPH)
    execution = runtime.execution_runtime
    if execution is None:  # the server reads a drawing, a schema or the state
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
        raise RunRefused(str(error)) from None  # the log shows one line, without the cause


@asynccontextmanager
async def _working(run: ThreadRun) -> AsyncIterator[None]:
    """Keep the run open for the graph's nodes, and write the run's files after the graph has stopped."""
    directory, settings, thread = run.directory, run.settings, run.directory.info.thread_id
    place = store_place(settings, directory.path, thread)
    checkpoints = await asyncio.to_thread(lambda: directory.checkpoints)
    drive = Driver(directory, BLPO, settings, None, None)
    async with (
        open_run(settings, place, thread=thread, dataset=run.dataset) as session,
        open_checkpoints(checkpoints) as saver,
    ):
        own = builder.compile(checkpointer=saver, name=GRAPH)
        await drive.begin(own, session)
        try:
            yield
        except BlpoError as error:
            await drive.conclude(own, session, "failed", str(error))
            raise
        await drive.conclude(own, session, "interrupted", "stopped on the server")


async def _list_runs() -> None:
    """List each new run of the folder as a thread of the server."""
    client, listed = get_client(), set[str]()
    while True:
        for thread, path in (await asyncio.to_thread(directories)).items():
            if thread not in listed and await _listed(client, thread, path):
                listed.add(thread)
        await asyncio.sleep(LISTING_INTERVAL)


async def _listed(client: LangGraphClient, thread: str, path: Path) -> bool:
    """List a run as a thread; returns False while the server is not ready."""
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
    """Check the checkpoints before the server starts, because the server's own message would be long."""
    try:
        asyncio.run(_open_once())
    except BlpoError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
