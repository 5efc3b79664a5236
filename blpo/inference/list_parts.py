"""Rankings from parts: a judge of single images or of pairs is asked about parts of a list, and the answers are joined.

A judge of single images rates each image of a list, and the ratings are sorted. A judge of pairs compares all pairs of
a list, and the strengths of the model of Bradley and Terry are sorted. Equal ratings and strengths are ties. These are
the baselines of a judge that sees the whole list.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from blpo.inference.open_models import OpenModels
from blpo.metrics.rankings import SHARES_OF_FIRST, bradley_terry, strengths_as_ranks
from state.ranking import ranking_label
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict


def with_task(models: OpenModels, task: TaskSettings) -> OpenModels:
    """Return the models with the task of the parts."""
    return replace(models, settings=models.settings.model_copy(update={"task": task}))


def parts_of(sample: Sample, task: TaskSettings) -> list[Sample]:
    """Return the parts of a list for a judge of `task`: all pairs, or each image alone."""
    return [
        replace(
            sample,
            id=" ".join(map(str, (sample.id, *(place + 1 for place in places)))),
            images=tuple(sample.images[place] for place in places),
            label=None,
        )
        for places in _places(sample, task)
    ]


def ranking_of(sample: Sample, verdicts: Sequence[Verdict], task: TaskSettings) -> Verdict:
    """Return the ranking of a list from the verdicts on its parts, by a judge of `task`.

    A failure is the verdict on the list: an error before others, else the first.
    """
    places = _places(sample, task)
    failures = [pair for pair in zip(verdicts, places, strict=True) if pair[0].status != "ok"]
    if failures:
        verdict, failed = min(failures, key=lambda pair: pair[0].status != "error")
        name = f"image{'s' * (len(failed) > 1)} {' and '.join(str(place + 1) for place in failed)}"
        return Verdict(sample.id, verdict.status, None, f"{name}: {verdict.reason}")
    label, reason = _by_strengths(sample, verdicts) if task.kind == "pairwise" else _by_ratings(verdicts, task)
    return Verdict(sample.id, "ok", label, reason)


def _places(sample: Sample, task: TaskSettings) -> list[tuple[int, ...]]:
    """Return the places of the images of every part, from 0."""
    return list(combinations(range(len(sample.images)), 2 if task.kind == "pairwise" else 1))


def _by_ratings(verdicts: Sequence[Verdict], task: TaskSettings) -> tuple[str, str]:
    by_scores = all(verdict.scores for verdict in verdicts)
    values = [_value(verdict, task, by_scores=by_scores) for verdict in verdicts]
    reason = ", ".join(f"image {i} is {verdict.label}" for i, verdict in enumerate(verdicts, 1))
    return ranking_label([-value for value in values]), f"Rated alone: {reason}."


def _value(verdict: Verdict, task: TaskSettings, *, by_scores: bool) -> float:
    """Return the rating, or 1 for the positive label; by scores the expected rating, or the label's probability."""
    values = {label: float(label) if task.kind == "ordinal" else float(label == task.positive) for label in task.values}
    rows = verdict.scores if by_scores else [(label, 1.0) for label in task.values if label == verdict.label]
    return sum(share * values[label] for label, share in rows)


def _by_strengths(sample: Sample, verdicts: Sequence[Verdict]) -> tuple[str, str]:
    size = len(sample.images)
    games = [
        (i, j, SHARES_OF_FIRST[str(answer.label)])
        for (i, j), pair in zip(combinations(range(size), 2), verdicts, strict=True)
        for answer in pair.orders
    ]
    wins = [sum(s if place == i else 1 - s for i, j, s in games if place in (i, j)) for place in range(size)]
    reason = ", ".join(f"image {place} wins {number:g}" for place, number in enumerate(wins, 1))
    label = ranking_label(strengths_as_ranks(bradley_terry(size, games)))
    return label, f"Of {len(games)} comparisons: {reason}."
