"""A judge of single images or of pairs, put to work on lists; see `blpo.inference.list_parts`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from blpo.deployment.judge import Judge, Judging
from blpo.inference.confidence import Confidence
from blpo.inference.judgement import Judgement
from blpo.inference.open_models import open_models
from blpo.inference.verdicts import judgement_by_parts
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict


class JudgeOfLists(Judge):
    """Judge of single images or of pairs, at work on lists; `best` tells the best rank or rating of labelled lists.

    Raises `ConfigError` for a judge of rankings, for categories without `task.positive`, and for pairs of texts.
    """

    def __init__(self, judge: Judge, best: Literal["lowest", "highest"]) -> None:
        if judge.file.tasks:
            raise ConfigError("--as ranking is for a judge of a single task; this one has several")
        task = judge.file.task
        if task.kind == "ranking":
            raise ConfigError("the judge ranks lists already; leave out --as ranking")
        if judge.file.image_names is not None:
            raise ConfigError("--as ranking is for a judge of single images or pairs; this one labels several images")
        if task.kind == "categorical" and task.positive is None:
            raise ConfigError("categories can be sorted by task.positive alone, and this judge has none")
        super().__init__(judge.file.model_copy(update={"task": TaskSettings(kind="ranking", best=best)}))
        self._parts: JudgeFile = judge.file

    @asynccontextmanager
    async def open(self, store: Path | None = None) -> AsyncIterator[Judging]:
        """Open the judge over a response store: answers in the store cost nothing. None: a temporary store."""
        async with open_models(self._parts.settings, store) as models:
            yield _ListJudging(self._parts, models)


class _ListJudging(Judging):
    async def _confidence(self, sample: Sample, verdict: Verdict) -> Confidence:
        return Confidence()

    async def _judgement(self, sample: Sample) -> Judgement:
        return await judgement_by_parts(self._models, self._judge_prompt, sample)
