"""Align a frozen multimodal judge with people's labels.

    result = await blpo.optimize("config.yaml")
    judge = blpo.load_judge(result_directory / "judge.yaml")
    verdicts = await judge(["a.png", "b.png"])

`optimize` runs the graph of `graph.outer` with checkpoints, writes the run directory, and returns the content of
result.json; `resume` goes on with a run that was stopped or killed.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from state.checkpoints import open_checkpoints  # isort: skip - first: it makes LangGraph's msgpack strict
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl

from data.check import check
from graph.outer import builder
from models.prices import require_prices
from models.vision import require_vision
from nodes.evaluate_test import partial_result
from nodes.rounds import closed_rounds
from nodes.session import Session, dataset_of, open_session, store_path
from reports.judge import Judge, load_judge
from reports.outputs import write_judge, write_rounds, write_verdicts
from reports.run_directory import RunDirectory
from state.config import dump_settings, load_settings
from state.errors import BlpoError, DataError
from state.loops import RoundRecord
from state.result import Result, RunStatus
from state.sample import SplitName
from state.settings import Settings

__all__ = ["Judge", "load_judge", "optimize", "resume"]

Config = str | Path | Mapping[str, Any] | Settings | None
OnEvent = Callable[[Mapping[str, Any]], None]
"""Called with every progress event (see `nodes.progress`)."""
Graph = CompiledStateGraph[Any, Any, Any, Any]


async def optimize(
    config: Config = None,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
) -> Result:
    """Run the search to its end and return the content of result.json.

    `config` is a YAML file, a mapping, `Settings`, or None for the built-in sample; `overrides` are `key=value`.
    `control.request_drain()` stops the run at the next superstep, with status `interrupted`. Raises `BlpoError`; a
    `TooManyFailures` leaves a run that `resume` goes on with.
    """
    settings = load_settings(config, overrides)
    require_vision(settings.models)
    require_prices(settings.models, settings.limits)
    check_data(settings)
    path = Path(settings.run.dir or _default_directory(settings)).absolute()
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(path)})})
    run = RunDirectory.create(settings, path, dataset_of(settings, fresh=True).fingerprint)
    with closing(run):
        return await _Drive(run, settings, on_event, control).to_the_end()


async def resume(
    directory: str | Path,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
) -> Result:
    """Go on with a run that was stopped, killed or failed; a finished one just returns its result.

    `overrides` may change limits and how models are reached, nothing that determines the result. A run that spent its
    budget goes on where `limits` are raised: what was paid for is read from the response store.
    """
    run = RunDirectory.open(Path(directory).absolute())
    with closing(run):
        settings = run.settings(overrides)
        result = run.result()
        raised = result is not None and result["status"] == "budget" and settings.limits != run.settings().limits
        if result is not None and not raised and result["status"] in ("complete", "budget"):
            return result
        run.check_dataset(dataset_of(settings, fresh=True).fingerprint)
        if raised:
            run.save_info(replace(run.info, thread_id=str(uuid.uuid4())))
            (run.path / "result.json").unlink()
        run.write("config.yaml", dump_settings(settings))
        settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(run.path)})})
        return await _Drive(run, settings, on_event, control).to_the_end()


class _Drive:
    """Drives the graph of one run from wherever its checkpoints stand, and writes its directory on the way."""

    def __init__(
        self, run: RunDirectory, settings: Settings, on_event: OnEvent | None, control: RunControl | None
    ) -> None:
        self.run = run
        self.settings = settings
        self.on_event = on_event
        self.control = control
        self.seconds_before = run.info.seconds
        search = settings.search
        self.config: RunnableConfig = {
            "configurable": {"thread_id": run.info.thread_id},
            "recursion_limit": 100 + 10 * (search.outer_rounds + search.inner_steps),
        }

    async def to_the_end(self) -> Result:
        """Run the graph until it ends, drains or fails, and write what is known then."""
        search = self.settings.search
        self._event(
            {
                "event": "started",
                "run": str(self.run.path),
                "metric": search.metric,
                "outer_rounds": search.outer_rounds,
                "inner_steps": search.inner_steps,
            }
        )
        async with (
            open_session(self.settings, store_path(self.run.path)) as session,
            open_checkpoints(Path(self.run.info.checkpoints)) as saver,
        ):
            graph = builder.compile(checkpointer=saver, name="blpo")
            try:
                await self._stream(graph, session)
            except GraphDrained as drained:
                return await self._conclude(graph, session, "interrupted", drained.reason)
            except BlpoError as error:
                await self._conclude(graph, session, "failed", str(error))
                raise
            return await self._conclude(graph, session, "complete", "")

    async def _stream(self, graph: Graph, session: Session) -> None:
        snapshot = await graph.aget_state(self.config)
        if snapshot.created_at is not None and not snapshot.tasks:
            return  # the graph had ended; only its files were still to be written
        stream = graph.astream(
            {} if snapshot.created_at is None else None,
            self.config,
            context=self.settings,
            stream_mode=["custom", "updates"],
            subgraphs=True,
            durability="sync",
            control=self.control,
        )
        chunk: Any
        async for namespace, mode, chunk in stream:
            if mode == "custom":
                self._event(chunk)
            elif not namespace and "judge" in chunk:
                await self._write(session, chunk["judge"].get("rounds", []))

    async def _conclude(self, graph: Graph, session: Session, status: RunStatus, reason: str) -> Result:
        state: Any = (await graph.aget_state(self.config)).values
        rounds = await closed_rounds(state, session.store)
        result: Result | None = state.get("result")
        await self._write(session, rounds)
        if result is None:
            result = {**await partial_result(session, rounds), "status": status, "stop_reason": reason}
        elif rounds:
            tested: tuple[SplitName, ...] = ("test",) if result["test"] else ()
            await write_verdicts(self.run, session, rounds, ("train", "validation", *tested))
        result = {**result, "seconds": round(self.run.info.seconds, 3)}
        self.run.write("result.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        return result

    async def _write(self, session: Session, rounds: Sequence[RoundRecord]) -> None:
        await write_rounds(self.run, session, rounds)
        await write_judge(self.run, session, rounds)
        self.run.save_info(replace(self.run.info, seconds=self.seconds_before + session.seconds))

    def _event(self, event: Mapping[str, Any]) -> None:
        if event["event"] != "progress":  # too many to keep
            self.run.append_event(event)
        if self.on_event is not None:
            self.on_event(event)


def check_data(settings: Settings) -> None:
    """Refuse a dataset with unreadable rows or images before anything is paid for; raises `DataError`."""
    problems = check(settings)
    if problems:
        more = f" (and {len(problems) - 1} more; `blpo check` lists them)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more, tuple(problems))


def _default_directory(settings: Settings) -> Path:
    return Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{settings.run_name}"
