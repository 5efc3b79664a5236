"""Drives the graph of one run: from wherever its checkpoints stand to its end, writing the run directory on the way."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph, StateGraph
from langgraph.runtime import RunControl
from langgraph.types import Command, StateSnapshot

from blpo.inference.reserve import reserve_test
from blpo.inference.rounds import closed_rounds
from blpo.inference.session import Session, open_session, store_of
from blpo.runs.outputs import write_judge, write_rounds, write_verdicts
from blpo.runs.run_directory import RunDirectory
from blpo.storage.checkpoints import open_checkpoints
from graph.outer import builder as blpo_builder
from nodes.approve import checked
from nodes.evaluate_test import partial_result
from state.approval import Question
from state.errors import AnswerError, BlpoError, StoreError
from state.loops import RoundRecord
from state.result import Result, RunStatus, empty_result
from state.sample import SplitName
from state.settings import Settings

OnEvent = Callable[[Mapping[str, Any]], None]
"""Called with every progress event (see `blpo.inference.progress`)."""
Builder = StateGraph[Any, Any, Any, Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
BEFORE_ROUND = "approve"
"""The node after which a round begins."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is driven: a graph, and the name under which run.json keeps it, so that no other goes on with the run."""

    name: str
    builder: Builder


BLPO = Search("blpo", blpo_builder)


class Drive:
    """Drives the graph of one run from wherever its checkpoints stand, and writes its directory on the way."""

    def __init__(
        self,
        run: RunDirectory,
        search: Search,
        settings: Settings,
        on_event: OnEvent | None,
        control: RunControl | None,
        answer: object = None,
    ) -> None:
        self.run = run
        self.builder = search.builder
        self.settings = settings
        self.on_event = on_event
        self.control = control
        self.answer = answer
        self.seconds_before = run.info.seconds
        most = settings.search
        self.config: RunnableConfig = {
            "configurable": {"thread_id": run.info.thread_id},
            "recursion_limit": 100 + 10 * (most.outer_rounds + most.inner_steps),
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
            open_session(self.settings, store_of(self.settings, self.run.path, self.run.info.thread_id)) as session,
            open_checkpoints(self.run.checkpoints) as saver,
        ):
            await reserve_test(session)
            graph = self.builder.compile(checkpointer=saver, name="blpo")
            try:
                return await self._run(graph, session)
            except StoreError as error:
                self._conclude_without_store(str(error))
                raise

    async def _run(self, graph: Graph, session: Session) -> Result:
        try:
            await self._stream(graph, session)
        except GraphDrained as drained:
            return await self.conclude(graph, session, "interrupted", drained.reason)
        except StoreError:
            raise
        except BlpoError as error:
            await self.conclude(graph, session, "failed", str(error))
            raise
        return await self.conclude(graph, session, "complete", "")

    async def _stream(self, graph: Graph, session: Session) -> None:
        await self.begin(graph, session)
        snapshot = await graph.aget_state(self.config)
        answer = self._resume_by(question_of(snapshot))
        if snapshot.created_at is not None and not snapshot.tasks:
            return  # the graph had ended; only its files were still to be written
        if snapshot.created_at is None and await session.store.usage():
            self._event({"event": "replayed", "checkpoints": str(self.run.checkpoints)})
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
                await self._write(session, chunk["judge"].get("rounds", []))

    async def begin(self, graph: Graph, session: Session) -> None:
        """Put the graph of a fork where it starts, with the answers of the run that it is made of, if they are there.

        Does nothing where the graph has begun, or begins at the beginning.
        """
        start = await asyncio.to_thread(self.run.start)
        if start is None or (await graph.aget_state(self.config)).created_at is not None:
            return
        if start["answers"] is not None and await asyncio.to_thread(Path(start["answers"]).exists):
            await session.store.adopt(Path(start["answers"]))
        for text in start["texts"]:
            await session.store.put_text(text)
        if start["state"] is not None:
            await graph.aupdate_state(self.config, start["state"], as_node=BEFORE_ROUND)

    def _resume_by(self, question: Question | None) -> Command[Any] | None:
        """How to go on: by the answer that was given, if any; raises `AnswerError` where it doesn't fit."""
        if self.answer is None:
            return None
        if question is None:
            raise AnswerError(f"{self.run.path} asks no question; go on without an answer")
        return Command(resume=checked(self.answer, question).model_dump())

    async def conclude(self, graph: Graph, session: Session, status: RunStatus, reason: str) -> Result:
        """Write what is known now; `status` and `reason` say why there is no result, if there is none."""
        snapshot = await graph.aget_state(self.config)
        state: Any = snapshot.values
        question = question_of(snapshot)
        rounds = await closed_rounds(state, session.store)
        result: Result | None = state.get("result")
        await self._write(session, rounds)
        if result is None:
            result = {**await partial_result(session, rounds), "status": status, "stop_reason": reason}
            if question is not None:
                reason = f"{named(question)} waits for an answer"
                result = {**result, "status": "interrupted", "stop_reason": reason, "question": question}
        elif rounds:
            tested: tuple[SplitName, ...] = ("test",) if result["test"] else ()
            await write_verdicts(self.run, session, rounds, ("train", "validation", *tested))
        result = {**result, "seconds": round(self.run.info.seconds, 3)}
        if self.run.info.lineage:
            result["lineage"] = self.run.info.lineage
        await asyncio.to_thread(self.run.write, "result.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        return result

    def _conclude_without_store(self, reason: str) -> None:
        """Write that the run failed; all else that is known of it is in a store that can't be used any more."""
        seconds = round(self.run.info.seconds, 3)
        failed = self.run.result() or empty_result(self.settings.search.metric)
        failed = {**failed, "status": "failed", "stop_reason": reason, "seconds": seconds}
        with suppress(OSError, StoreError):  # a full disk, say: then the error alone tells
            self.run.write("result.json", json.dumps(failed, indent=1, ensure_ascii=False) + "\n")

    async def _write(self, session: Session, rounds: Sequence[RoundRecord]) -> None:
        await write_rounds(self.run, session, rounds)
        await write_judge(self.run, session, rounds)
        info = replace(self.run.info, seconds=self.seconds_before + session.seconds)
        await asyncio.to_thread(self.run.save_info, info)

    def _event(self, event: Mapping[str, Any]) -> None:
        if event["event"] != "progress":  # too many to keep
            self.run.append_event(event)
        if self.on_event is not None:
            self.on_event(event)


def question_of(snapshot: StateSnapshot) -> Question | None:
    """What the graph waits for, or None."""
    value: Question | None = next((interrupt.value for interrupt in snapshot.interrupts), None)
    return value


def named(question: Question) -> str:
    """The prompt that a question is about."""
    return f"the new {'judge' if question['prompt'] == 'judge' else 'I2T'} prompt of round {question['round']}"
