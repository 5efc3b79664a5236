"""Writer of a run: the files of rounds on the way, and the result when the graph has ended or stopped."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from langgraph.types import StateSnapshot

from blpo.inference.open_run import OpenRun
from blpo.inference.rounds import closed_rounds
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_files import write_judge, write_rounds, write_verdicts
from nodes.evaluate_test import partial_result
from state.approval import Question
from state.errors import StoreError
from state.loops import RoundRecord
from state.result import Result, RunStatus, empty_result
from state.sample import SplitName
from state.settings import Settings


@dataclass(frozen=True, slots=True)
class RunWriter:
    """Writer of the files in the directory of a run."""

    directory: RunDirectory
    settings: Settings
    seconds_before: float
    """Seconds of the run before this process."""

    async def conclude(self, snapshot: StateSnapshot, run: OpenRun, status: RunStatus, reason: str) -> Result:
        """Write all files of the run at the end or a stop; `status` and `reason` count for a graph without a result."""
        state: Any = snapshot.values
        question = question_of(snapshot)
        rounds = await closed_rounds(state, run.store)
        result: Result | None = state.get("result")
        await self.write(run, rounds, anew=True)
        if result is None:
            result = {**await partial_result(run, rounds), "status": status, "stop_reason": reason}
            if question is not None:
                reason = f"{prompt_in_question(question)} waits for an answer"
                result = {**result, "status": "interrupted", "stop_reason": reason, "question": question}
        elif rounds or result["test"]:
            search_splits: tuple[SplitName, ...] = ("train", "validation") if rounds else ()
            test_splits: tuple[SplitName, ...] = ("test",) if result["test"] else ()
            await write_verdicts(self.directory, run, rounds, (*search_splits, *test_splits))
        result = {**result, "seconds": round(self.directory.info.seconds, 3)}
        if self.directory.info.lineage:
            result["lineage"] = self.directory.info.lineage
        if result["status"] in ("complete", "budget"):
            await write_judge(self.directory, run, rounds, result)
        await asyncio.to_thread(
            self.directory.write, "result.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        )
        return result

    def conclude_without_store(self, reason: str) -> None:
        """Write a result with the reason of the failure. The store holds all else and can't be used any more."""
        seconds = round(self.directory.info.seconds, 3)
        failed = self.directory.result() or empty_result(self.settings.search.metric)
        failed = {**failed, "status": "failed", "stop_reason": reason, "seconds": seconds}
        with suppress(OSError, StoreError):  # a full disk, for example: the raised error says enough
            self.directory.write("result.json", json.dumps(failed, indent=1, ensure_ascii=False) + "\n")

    async def write(self, run: OpenRun, rounds: Sequence[RoundRecord], *, anew: bool = False) -> None:
        """Write the files of the rounds, the judge, and the seconds of the run; `anew` writes existing files too."""
        await write_rounds(self.directory, run, rounds, anew=anew)
        await write_judge(self.directory, run, rounds)
        info = replace(self.directory.info, seconds=self.seconds_before + run.seconds)
        await asyncio.to_thread(self.directory.save_info, info)


def question_of(snapshot: StateSnapshot) -> Question | None:
    """Return the question before a waiting graph, or None."""
    value: Question | None = next((interrupt.value for interrupt in snapshot.interrupts), None)
    return value


def prompt_in_question(question: Question) -> str:
    """Return the name of the prompt in the question."""
    return f"the new {'judge' if question['prompt'] == 'judge' else 'I2T'} prompt of round {question['round']}"
