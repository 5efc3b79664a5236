"""Driver of a run: takes the graph from its checkpoints to the end, and writes the run directory on the way."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import Command

from blpo.data.dataset import Dataset
from blpo.inference.open_run import OpenRun, SharedModels, open_run
from blpo.inference.reserve import reserve_test
from blpo.inference.run_store import store_place
from blpo.runs.rewind import rewind
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_writer import RunWriter, question_of
from blpo.storage.checkpoints import open_checkpoints
from graph.outer import Builder
from graph.outer import builder as blpo_builder
from nodes.approve import read_answer
from state.approval import Question
from state.errors import AnswerError, BlpoError, StoreError
from state.events import Event, StartedEvent
from state.result import Result, RunStatus
from state.settings import Settings

OnEvent = Callable[[Event], None]
"""Called with every progress event (`state.events`)."""
Graph = CompiledStateGraph[Any, Any, Any, Any]
BEFORE_ROUND = "approve"
"""Last node of a round."""
_SECONDS = 0.5
"""Time between two writes of progress.json."""


@dataclass(frozen=True, slots=True)
class Search:
    """A graph with a name. run.json keeps the name, so that only the same search goes on with the run."""

    name: str
    builder: Builder


BLPO = Search("blpo", blpo_builder)


class Driver:
    """Driver of the graph of a run."""

    def __init__(
        self,
        directory: RunDirectory,
        search: Search,
        settings: Settings,
        on_event: OnEvent | None,
        control: RunControl | None,
        answer: object = None,
    ) -> None:
        self.directory = directory
        self.builder = search.builder
        self.settings = settings
        self.on_event = on_event
        self.control = control
        self.answer = answer
        self.writer = RunWriter(directory, settings, directory.info.seconds)
        self._next_progress = 0.0
        most = settings.search
        self.config: RunnableConfig = {
            "configurable": {"thread_id": directory.info.thread_id},
            "recursion_limit": 100 + 10 * (most.outer_rounds + most.inner_steps),
        }

    async def to_the_end(
        self, dataset: Dataset, shared: SharedModels | None = None, warnings: Sequence[str] = ()
    ) -> Result:
        """Run the graph until the graph ends, drains or fails, and write the files of the run.

        `shared`: models shared by several runs. `warnings`: lines about the dataset of a new run.
        """
        search, thread = self.settings.search, self.directory.info.thread_id
        place = store_place(self.settings, self.directory.path, thread)
        started: StartedEvent = {
            "event": "started",
            "run": str(self.directory.path),
            "metric": search.metric,
            "outer_rounds": search.outer_rounds,
            "inner_steps": search.inner_steps,
            "trials": search.trials,
        }
        if self.settings.run.tracking is not None:
            started["tracking"] = self.settings.run.tracking
        self._event(started)
        for text in warnings:
            self._event({"event": "warning", "text": text})
        async with (
            open_run(self.settings, place, thread=thread, dataset=dataset, shared=shared) as run,
            open_checkpoints(self.directory.checkpoints) as saver,
        ):
            await reserve_test(run)
            graph = self.builder.compile(checkpointer=saver, name="blpo")
            try:
                return await self._run(graph, run)
            except StoreError as error:
                self.writer.conclude_without_store(str(error))
                raise

    async def _run(self, graph: Graph, run: OpenRun) -> Result:
        try:
            await self._stream(graph, run)
        except GraphDrained as drained:
            return await self.conclude(graph, run, "interrupted", drained.reason)
        except StoreError:
            raise
        except BlpoError as error:
            await self.conclude(graph, run, "failed", str(error))
            raise
        return await self.conclude(graph, run, "complete", "")

    async def _stream(self, graph: Graph, run: OpenRun) -> None:
        await self.begin(graph, run)
        if requests := await rewind(graph, self.config, run.store):
            self._event({"event": "asked_again", "requests": requests})
        snapshot = await graph.aget_state(self.config)
        answer = self._resume_by(question_of(snapshot))
        if snapshot.created_at is not None and not snapshot.tasks:
            return  # the graph had ended; only the files are missing
        if snapshot.created_at is None and await run.store.usage():
            self._event({"event": "replayed", "checkpoints": str(self.directory.checkpoints)})
        stream = graph.astream(
            {} if snapshot.created_at is None else answer,
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
                await self.writer.write(run, chunk["judge"].get("rounds", []))

    async def begin(self, graph: Graph, run: OpenRun) -> None:
        """Put the graph of a fork before its first round, with the parent run's answers if the parent still exists.

        Does nothing for a graph under way, and for a run that is no fork.
        """
        start = await asyncio.to_thread(self.directory.start)
        if start is None or (await graph.aget_state(self.config)).created_at is not None:
            return
        if start["answers"] is not None and await asyncio.to_thread(Path(start["answers"]).exists):
            await run.store.adopt(Path(start["answers"]))
        for text in start["texts"]:
            await run.store.put_text(text)
        if start["state"] is not None:
            await graph.aupdate_state(self.config, start["state"], as_node=BEFORE_ROUND)

    def _resume_by(self, question: Question | None) -> Command[Any] | None:
        """Return the graph's input that carries the person's answer, if any; raises `AnswerError` for a bad answer."""
        if self.answer is None:
            return None
        if question is None:
            raise AnswerError(f"{self.directory.path} asks no question; go on without an answer")
        return Command(resume=read_answer(self.answer, question).model_dump())

    async def conclude(self, graph: Graph, run: OpenRun, status: RunStatus, reason: str) -> Result:
        """Write all files of the run; `status` and `reason` count for a graph without a result."""
        return await self.writer.conclude(await graph.aget_state(self.config), run, status, reason)

    def _event(self, event: Event) -> None:
        if event["event"] != "progress":  # too many to keep
            self.directory.append_event(event)
        elif time.monotonic() >= self._next_progress:
            self.directory.show_progress(event)
            self._next_progress = time.monotonic() + _SECONDS
        if self.on_event is not None:
            self.on_event(event)
