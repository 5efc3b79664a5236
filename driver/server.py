"""The graph as the API server and Studio run it: with run directories, so that the command line can go on with a run.

Each thread is a run of the folder BLPO_RUNS (default: runs/). A thread that began on the command line goes on with the
settings of its run; a new one takes them from the context and keeps its files in a folder named after the thread. While
the server works on a run it holds the lock of its directory. What blocks is done in threads.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any

from state.checkpoints import Target, open_checkpoints  # isort: skip - first: it makes LangGraph's msgpack strict
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.runtime import ServerRuntime
from pydantic import Field

from driver.drive import BLPO, Drive, Graph
from driver.lineage import lineage_of
from driver.preflight import require_usable
from driver.run_directory import RunDirectory, read_info
from driver.runs import check_data
from graph.outer import builder
from nodes.session import dataset_of, open_session, settings_for, store_of
from nodes.start import initial_prompts
from prompts.template import read_templates
from state.config import Context, config_hash, load_settings
from state.errors import BlpoError, RunError
from state.settings import POSTGRES, PromptSettings, Settings

GRAPH = "blpo"
"""The graph's name in langgraph.json."""
LOOK_AGAIN = 2.0
"""Seconds between two looks for runs that the command line has begun."""


class RunRefused(BlpoError, RuntimeError):
    """Any `BlpoError`, as a kind of error whose message the server passes on."""


class ServedContext(Context):
    """The settings of a run; all defaults together run the built-in sample."""

    config: str | None = Field(default=None, title="Configuration file")
    """A YAML file of settings on the server's machine. Whatever else is set here and is no default takes precedence."""


_served = copy(builder)
_served.context_schema = ServedContext


def runs_folder() -> Path:
    """The folder of runs that the server shows."""
    return Path(os.environ.get("BLPO_RUNS") or "runs").absolute()


def checkpoint_target() -> Target:
    """Where the checkpoints of these runs are: beside them, or in the team's database (BLPO_CHECKPOINTS=postgres)."""
    in_postgres = os.environ.get("BLPO_CHECKPOINTS") == POSTGRES
    return POSTGRES if in_postgres else runs_folder() / "checkpoints.sqlite"


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[str]]:
    """The server's saver; as long as it is open, runs of the folder are listed as the server's threads."""
    target = await asyncio.to_thread(checkpoint_target)
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
        run, settings = await asyncio.to_thread(_open_run, thread, execution.context or {})
        try:
            async with _working(run, settings):
                yield compiled
        finally:
            await asyncio.to_thread(run.close)
    except BlpoError as error:
        raise RunRefused(str(error)) from error


@asynccontextmanager
async def _working(run: RunDirectory, settings: Settings) -> AsyncIterator[None]:
    """Hold the session of the run, and write its files when the graph has stopped."""
    thread, drive = run.info.thread_id, Drive(run, BLPO, settings, None, None)
    async with AsyncExitStack() as stack:
        stack.enter_context(settings_for(thread, settings))
        session = await stack.enter_async_context(open_session(settings, store_of(settings, run.path, thread)))
        saver = await stack.enter_async_context(open_checkpoints(await asyncio.to_thread(lambda: run.checkpoints)))
        own = builder.compile(checkpointer=saver, name=GRAPH)
        await drive.begin(own, session)
        try:
            yield
        except BlpoError as error:
            await drive.conclude(own, session, "failed", str(error))
            raise
        await drive.conclude(own, session, "interrupted", "stopped on the server")


def _open_run(thread: str, context: Mapping[str, Any]) -> tuple[RunDirectory, Settings]:
    """The locked run directory of a thread, made if it is new, and the settings to go on with."""
    read_templates()
    given = _settings(context)
    path = _directories().get(thread)
    run = _new_run(thread, given) if path is None else RunDirectory.open(path)
    try:
        settings = given if path is None else _agreed(run, given)
        require_usable(settings)
        run.check_dataset(dataset_of(settings, fresh=True).fingerprint)
        judge, i2t = initial_prompts(settings)
        update = {
            "run": settings.run.model_copy(update={"dir": str(run.path), "checkpoints": str(checkpoint_target())}),
            "prompts": PromptSettings(judge=judge, i2t=i2t),  # whoever needs them reads no file
        }
    except BaseException:
        run.close()
        raise
    return run, settings.model_copy(update=update)


def _settings(context: Mapping[str, Any]) -> Settings:
    """What the context means: its configuration file, changed by what is set beside it and is no default."""
    given = ServedContext(**context)
    changes = given.model_dump(exclude_defaults=True, exclude={"config"})
    if given.config is None:
        return load_settings(changes)
    base = load_settings(given.config).model_dump(exclude_unset=True)
    return load_settings(_merged(base, changes))


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` changed by `changes`, section by section."""
    inner = {
        name: _merged(base[name], value)
        for name, value in changes.items()
        if isinstance(base.get(name), dict) and isinstance(value, Mapping)
    }
    return {**base, **changes, **inner}


def _new_run(thread: str, settings: Settings) -> RunDirectory:
    require_usable(settings)
    check_data(settings)
    path = Path(settings.run.dir) if settings.run.dir else runs_folder() / thread
    target = checkpoint_target()
    run = settings.run.model_copy(update={"dir": str(path), "checkpoints": str(target)})
    settings = settings.model_copy(update={"run": run})
    dataset = dataset_of(settings, fresh=True)
    return RunDirectory.create(settings, path, dataset.fingerprint, thread, lineage=lineage_of(settings, dataset))


def _agreed(run: RunDirectory, given: Settings) -> Settings:
    """The settings of a run that is there: its own, or those given where they lead to the same results."""
    if run.checkpoints != checkpoint_target():
        raise RunError(f"{run.path} keeps its checkpoints in {run.checkpoints}, and the server's are elsewhere")
    own = run.settings()
    if given == Settings():
        return own
    if config_hash(given) != run.info.config_hash:
        raise RunError(
            f"the thread is the run {run.path}, which began with other settings; leave the context empty to go on with"
            " it, or begin a new thread"
        )
    return given


def _directories() -> dict[str, Path]:
    """The run directories of the folder by their thread."""
    found = {}
    for file in sorted(runs_folder().glob("*/run.json")):
        with suppress(RunError):
            found[read_info(file.parent).thread_id] = file.parent
    return found


async def _list_runs() -> None:
    """Make the runs of the folder threads of the server, as they appear."""
    client, listed = get_client(), set[str]()
    while True:
        for thread, path in (await asyncio.to_thread(_directories)).items():
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
