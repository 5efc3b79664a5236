"""Escalation: a second judge decides about samples whose verdict is not trusted."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from blpo.config.config_hash import measuring_settings
from blpo.deployment.judge import Judge, Judging
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.verdict_counts import VerdictCounts
from blpo.deployment.verdict_lines import JudgedSample, Usage
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.role_usage import RoleUsage
from state.sample import Sample
from state.settings import TaskSettings


class EscalationRecord(TypedDict):
    """Second judge of a set."""

    prompt: str
    """First 16 hex digits of the SHA-256 of the judge prompt."""
    model: str
    versions: dict[str, int]
    """Escalated samples by the model's version as the server told it, the most frequent first."""
    escalated: int
    """Samples that the second judge decided about."""
    calls: RoleUsage
    """Calls and dollars of the second judge, over all resumes."""


class Escalation:
    """A second judge beside the first. Raises `ConfigError` for a judge that labels other samples or other labels."""

    def __init__(self, judge: Judge, first: Judge) -> None:
        if len(first.require_tasks()) > 1:
            raise ConfigError("--escalate asks about one task; name the criterion: --task NAME")
        if differences := _differences(first, judge):
            raise ConfigError(
                f"--escalate: the second judge has {differences} than the first; give one of the same task"
            )
        if measuring_settings(judge.file.settings) == measuring_settings(first.file.settings):
            raise ConfigError("--escalate: the second judge is the first; give another one")
        self.file = judge.file.with_confidence(None)  # nobody asks how sure the second judge is
        self._judge = Judge(self.file, judge.run, first.tasks[0] or None)
        self._judging: Judging | None = None
        self._counts = VerdictCounts(TaskSettings())

    @asynccontextmanager
    async def open(self, store: Path | None) -> AsyncIterator["Escalation"]:
        """Open the second judge over a response store of its own; None: a temporary store."""
        async with self._judge.open(store) as self._judging:
            yield self

    async def decide(self, item: JudgedSample) -> JudgedSample:
        """Return the sample with the second judge's verdict if the first one's is not trusted."""
        if item.trusted is not False or item.first is not None or not may_escalate(item):
            return item
        return escalated(item, await self._open.judge(item.sample))

    async def judged(self, samples: list[Sample]) -> AsyncGenerator[JudgedSample]:
        """Yield the samples with the second judge's own verdicts, in order."""
        async for item in self._open.judged(samples):
            yield item

    def add(self, item: JudgedSample) -> None:
        """Count one judged sample."""
        if item.first is not None:
            self._counts.add(replace(item, first=None))

    async def record(self) -> EscalationRecord:
        """Return the numbers of the second judge."""
        identity = JudgeIdentity.of(self.file)
        return EscalationRecord(
            prompt=identity.prompt,
            model=identity.model,
            versions=dict(self._counts.versions.most_common()),
            escalated=self._counts.statuses.total(),
            calls=await self._open.usage(),
        )

    @property
    def _open(self) -> Judging:
        assert self._judging is not None
        return self._judging


def may_escalate(item: JudgedSample) -> bool:
    """Return True unless the first judge had an error, such as an image that can't be read: then it is asked again."""
    return item.verdict.status != "error"


def escalated(first: JudgedSample, second: JudgedSample) -> JudgedSample:
    """Return the sample with the second verdict, the first one beside it, and the usage of both."""
    first = replace(first, trusted=False)
    return replace(second, usage=total_usage(first.usage, second.usage), confidence=None, trusted=False, first=first)


def total_usage(*parts: Usage) -> Usage:
    """Return the sum of usages; dollars are None if one part's are."""
    dollars = [part["usd"] for part in parts]
    return Usage(
        input_tokens=sum(part["input_tokens"] for part in parts),
        output_tokens=sum(part["output_tokens"] for part in parts),
        usd=None if None in dollars else sum(each or 0.0 for each in dollars),
    )


def _differences(first: Judge, second: Judge) -> str:
    """Return the differences of two judges in words; empty if both label the same samples by the same labels."""
    name = first.tasks[0]
    if name not in second.file.scales:
        return "other tasks"
    one, other = first.file.of_task(name), second.file.of_task(name)
    facts = {"another scale of labels": _scale, "other columns": _columns, "another number of images": _images}
    return " and ".join(fact for fact, of in facts.items() if of(one) != of(other))


def _scale(file: JudgeFile) -> object:
    return file.task.kind, file.task.values, file.task.questions


def _columns(file: JudgeFile) -> object:
    return frozenset(file.further_columns or ())


def _images(file: JudgeFile) -> object:
    return file.images == 1, len(file.image_names or ())
