"""Rankings by a judge of single images or of pairs: the baselines of a judge that sees the whole list.

A judge of single images rates each image of a list, and the ratings are sorted. A judge of pairs compares all pairs of
a list, and the strengths of the model of Bradley and Terry are sorted. Equal ratings and strengths are ties.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path
from typing import Literal

from blpo.deployment.judge import Judge, Judging
from blpo.inference.fan_out import fan_out
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.progress import uncounted
from blpo.inference.verdicts import Judgement, judgement_of
from blpo.metrics.rankings import bradley_terry, strengths_as_ranks
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.ranking import ranking_label
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict

_SHARES = {"a": 1.0, "b": 0.0, "tie": 0.5}
"""Share of the first image in the win of a pair, by label."""


class JudgeOfLists(Judge):
    """Judge of single images or of pairs, at work on lists; `best` tells the best rank or rating of labelled lists.

    Raises `ConfigError` for a judge of rankings, for categories without `task.positive`, and for pairs of texts.
    """

    def __init__(self, judge: Judge, best: Literal["lowest", "highest"]) -> None:
        task = judge.file.task
        if task.kind == "ranking":
            raise ConfigError("the judge ranks lists already; leave out --as ranking")
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
    async def _judgement(self, sample: Sample) -> Judgement:
        task = self._models.settings.task
        rank = _ranked_by_pairs if task.kind == "pairwise" else _sorted_by_ratings
        return await rank(self._models, self._judge_prompt, sample, task)


async def _sorted_by_ratings(models: OpenModels, prompt: str, sample: Sample, task: TaskSettings) -> Judgement:
    images = [Sample(f"{sample.id} {i}", (image,), None, sample.text) for i, image in enumerate(sample.images, 1)]
    judgements = await _judged(models, prompt, images)
    verdicts = [judgement.verdict for judgement in judgements]
    if (failure := _failure(sample, verdicts, [f"image {i}" for i in range(1, len(images) + 1)])) is None:
        values = [_value(verdict, task, by_scores=all(each.scores for each in verdicts)) for verdict in verdicts]
        reason = ", ".join(f"image {i} is {verdict.label}" for i, verdict in enumerate(verdicts, 1))
        failure = Verdict(sample.id, "ok", ranking_label([-value for value in values]), f"Rated alone: {reason}.")
    return Judgement(failure, tuple(reply for judgement in judgements for reply in judgement.replies))


async def _ranked_by_pairs(models: OpenModels, prompt: str, sample: Sample, task: TaskSettings) -> Judgement:
    places = list(combinations(range(len(sample.images)), 2))
    pairs = [
        Sample(f"{sample.id} {i + 1} {j + 1}", (sample.images[i], sample.images[j]), None, sample.text)
        for i, j in places
    ]
    judgements = await _judged(models, prompt, pairs)
    verdicts = [judgement.verdict for judgement in judgements]
    verdict = _failure(sample, verdicts, [f"images {i + 1} and {j + 1}" for i, j in places])
    if verdict is None:
        games = [
            (i, j, _SHARES[str(answer.label)])
            for (i, j), pair in zip(places, verdicts, strict=True)
            for answer in pair.orders
        ]
        ranks = strengths_as_ranks(bradley_terry(len(sample.images), games))
        wins = [sum(s if place == i else 1 - s for i, j, s in games if place in (i, j)) for place in range(len(ranks))]
        reason = ", ".join(f"image {place} wins {number:g}" for place, number in enumerate(wins, 1))
        verdict = Verdict(sample.id, "ok", ranking_label(ranks), f"Of {len(games)} comparisons: {reason}.")
    return Judgement(verdict, tuple(reply for judgement in judgements for reply in judgement.replies))


async def _judged(models: OpenModels, prompt: str, samples: Sequence[Sample]) -> list[Judgement]:
    return await fan_out(lambda sample: judgement_of(models, prompt, sample), samples, models.width("judge"), uncounted)


def _failure(sample: Sample, verdicts: Sequence[Verdict], names: Sequence[str]) -> Verdict | None:
    """Return the first failure as the verdict on the list, an error before others; None without a failure."""
    failures = [pair for pair in zip(verdicts, names, strict=True) if pair[0].status != "ok"]
    if not failures:
        return None
    verdict, name = min(failures, key=lambda pair: pair[0].status != "error")
    return Verdict(sample.id, verdict.status, None, f"{name}: {verdict.reason}")


def _value(verdict: Verdict, task: TaskSettings, *, by_scores: bool) -> float:
    """Return the rating, or 1 for the positive label; by scores the expected rating, or the label's probability."""
    values = {label: float(label) if task.kind == "ordinal" else float(label == task.positive) for label in task.values}
    rows = verdict.scores if by_scores else [(label, 1.0) for label in task.values if label == verdict.label]
    return sum(share * values[label] for label, share in rows)
