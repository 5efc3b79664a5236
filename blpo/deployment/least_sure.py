"""Samples that are worth a label: those about which a judge is least sure, each once."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from pathlib import Path

from blpo.data.near_duplicates import Signature, are_near, signature_of
from blpo.deployment.confidence_source import require_told
from blpo.deployment.judge import Judge, Judging, in_task
from blpo.deployment.run_contents import Content, content_of, contents_of_run, texts_of
from blpo.deployment.verdict_lines import JudgedSample
from blpo.inference.open_models import open_models
from state.errors import BudgetSpent, ConfigError, DataError
from state.sample import Sample
from state.settings import LimitSettings

_POOL = 20
"""Samples kept for each sample that is asked for: near-duplicates of surer ones may take their places."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Judged sample that may be worth a label."""

    place: int
    """Place among the judged samples; of two equally sure samples the earlier one is taken."""
    item: JudgedSample
    signatures: tuple[Signature, ...]

    @property
    def key(self) -> tuple[float, int]:
        """Order of candidates: the least sure first. No label, as by a refusal or two orders that differ, is first."""
        return (self.item.confidence or 0.0, self.place)

    def is_near(self, other: "Candidate") -> bool:
        """Return True for near-duplicates with the same texts."""
        return texts_of(self.item.sample) == texts_of(other.item.sample) and are_near(self.signatures, other.signatures)


@dataclass
class LeastSure:
    """Outcome: the least sure samples so far, in bounded memory, and counts."""

    most: int
    judged: int = 0
    errors: int = 0
    """Judged samples without an answer."""
    unknown: int = 0
    """Samples with a verdict, but without a confidence."""
    labelled: int = 0
    """Samples with a label, and samples of the run's dataset: left out unjudged."""
    near: int = 0
    """Near-duplicates of a less sure sample."""
    budget_spent: bool = False
    _heap: list[tuple[tuple[float, int], Candidate]] = field(default_factory=list)
    """The surest candidate first; keys are negative."""

    async def add(self, item: JudgedSample) -> None:
        """Count a judged sample, and keep the sample if few are less sure."""
        self.judged += 1
        if item.verdict.status == "error":
            self.errors += 1
            return
        if item.confidence is None and item.verdict.label is not None:
            self.unknown += 1
            return
        is_full = len(self._heap) == _POOL * self.most
        if is_full and (item.confidence or 0.0) >= self._heap[0][1].key[0]:
            return
        try:
            signatures = await asyncio.to_thread(lambda: tuple(map(signature_of, item.sample.images)))
        except DataError:
            self.errors += 1
            return
        self._keep(Candidate(self.judged, item, signatures), is_full=is_full)

    def _keep(self, candidate: Candidate, *, is_full: bool) -> None:
        entry = ((-candidate.key[0], -candidate.place), candidate)
        if is_full:
            heappushpop(self._heap, entry)
        else:
            heappush(self._heap, entry)

    def chosen(self) -> list[JudgedSample]:
        """Return the least sure samples, at most `most`, without near-duplicates of one before; and count these."""
        chosen: list[Candidate] = []
        self.near = 0
        for candidate in sorted((each for _, each in self._heap), key=lambda each: each.key):
            if len(chosen) == self.most:
                break
            if any(candidate.is_near(earlier) for earlier in chosen):
                self.near += 1
            else:
                chosen.append(candidate)
        return [each.item for each in chosen]


def require_confidence(judge: Judge) -> Judge:
    """Return the judge with a source of confidence: its own, else its log-probabilities.

    Raises `ConfigError` for a judge without any, for a judge of rankings, and for several tasks at once.
    """
    models = judge.file.models
    name, *others = judge.require_tasks()
    if others:
        raise ConfigError(f"--unlabelled: this judge has several criteria ({', '.join(judge.tasks)}); add --task NAME")
    if judge.file.of_task(name).task.kind == "ranking":
        raise ConfigError("--unlabelled: rankings have no confidence, so nothing tells which lists to label next")
    own = models.judge.confidence
    if own is None and not all(models.of(role).logprobs for role in models.judge_roles):
        raise ConfigError("--unlabelled: this judge has no confidence; give --confidence repeats or words")
    if own is None:
        judge = Judge(judge.file.with_confidence("logprobs"), judge.run, name or None)
    require_told(judge)
    return judge


async def least_sure(
    judge: Judge,
    samples: Iterable[Sample],
    store: Path,
    *,
    most: int,
    calls: int | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> LeastSure:
    """Judge samples, and keep the `most` least sure; where `calls` are spent, among those judged so far.

    Answers go to the response store `store` and cost nothing in a later call. Samples with a label,
    and of the dataset of the judge's run, are left out. A judge of several tasks judges by the one that it was loaded
    for. Raises `ConfigError`, `ModelError` and `DataError`.
    """
    judge, outcome = require_confidence(judge), LeastSure(most)
    limits = LimitSettings(calls=calls, max_failure_rate=1.0)
    settings = judge.file.settings.model_copy(update={"limits": limits})
    contents = await asyncio.to_thread(contents_of_run, judge.run)
    examples = judge.file.labelled_examples
    async with open_models(settings, store, examples) as models:
        new = (in_task(sample, judge.tasks[0]) for sample in _new(samples, contents, outcome))
        try:
            async with aclosing(Judging(judge.file, models).judged(new)) as stream:
                async for item in stream:
                    await outcome.add(item)
                    advance(outcome.judged)
        except BudgetSpent:
            outcome.budget_spent = True
    return outcome


def _new(samples: Iterable[Sample], contents: frozenset[Content], outcome: LeastSure) -> Iterator[Sample]:
    """Yield the samples without a label that are not in the run's dataset."""
    for sample in samples:
        if sample.label is not None or (contents and content_of(sample) in contents):
            outcome.labelled += 1
        else:
            yield sample
