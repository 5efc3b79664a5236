"""Metrics of the test by slice: the samples with one value of a column."""

from collections.abc import Sequence
from typing import Any, cast

from blpo.metrics.agreement import metrics
from blpo.metrics.readings import strict_reading
from blpo.metrics.resampling import own_groups
from blpo.metrics.significance import bootstrap_intervals
from state.metrics import Agreement
from state.metrics_on_test import SliceMetrics
from state.ranking import agrees
from state.sample import Sample
from state.settings import LABEL_METRICS, TaskSettings
from state.verdict import Verdict

MOST_VALUES = 8
"""Values of a column with metrics of their own, the most frequent first. All other samples are one slice."""

SlicesByColumn = dict[str, dict[str, SliceMetrics]]


def slices(
    samples: Sequence[Sample],
    before: Sequence[Verdict],
    after: Sequence[Verdict],
    task: TaskSettings,
    metric: str,
    seed: int,
) -> SlicesByColumn:
    """Return the metrics by column and value. The sequences list the same samples in the same order.

    The names of columns are those of the samples' `slices`. Values beyond the most frequent `MOST_VALUES` are folded
    into a slice named `(N other values)`.
    """
    columns = dict.fromkeys(column for sample in samples for column, _ in sample.slices)
    result: SlicesByColumn = {}
    for column in columns:
        values = [dict(sample.slices).get(column, "") for sample in samples]
        result[column] = {
            value: _measured(places, samples, before, after, task, metric, seed)
            for value, places in fold_rare_values(values).items()
        }
    return result


def fold_rare_values(values: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of every value, the most frequent first, and the places of all rare values together."""
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    names = sorted(places, key=lambda value: (-len(places[value]), value))
    if len(names) <= MOST_VALUES + 1:
        return {name: places[name] for name in names}
    rare = names[MOST_VALUES:]
    rest = sorted(place for name in rare for place in places[name])
    return {name: places[name] for name in names[:MOST_VALUES]} | {f"({len(rare)} other values)": rest}


def _measured(
    places: Sequence[int],
    samples: Sequence[Sample],
    before: Sequence[Verdict],
    after: Sequence[Verdict],
    task: TaskSettings,
    metric: str,
    seed: int,
) -> SliceMetrics:
    part, old, new = [samples[p] for p in places], [before[p] for p in places], [after[p] for p in places]
    labels, ratings = [sample.label for sample in part], [sample.rating for sample in part]
    groups = [sample.group for sample in part]
    best = metrics(new, labels, task, ratings=ratings, groups=groups)
    own, difference = bootstrap_intervals(old, new, labels, task, metric, seed, groups, ratings)
    shows_spread = len(set(own_groups(groups))) > 1 and strict_reading(best, metric) is not None
    pairs = [(one, two, y) for one, two, y in zip(old, new, labels, strict=True) if _counts(one, two)]
    right = [(agrees(one.label, y), agrees(two.label, y)) for one, two, y in pairs]
    content: dict[str, Any] = {
        **_small(best, task.positive),
        "strict": _small(best["strict"], task.positive),
        "initial": strict_reading(metrics(old, labels, task, ratings=ratings), metric),
        "best": strict_reading(best, metric),
        "ci95": list(own) if shows_spread and own[0] < own[1] else None,
        "difference_ci95": list(difference) if shows_spread else None,
        "fixed": sum(is_right and not was_right for was_right, is_right in right),
        "broken": sum(was_right and not is_right for was_right, is_right in right),
    }
    return cast(SliceMetrics, content)


def _counts(old: Verdict, new: Verdict) -> bool:
    """Return True unless a verdict is an error: an error says nothing about a prompt."""
    return "error" not in (old.status, new.status)


def _small(agreement: Agreement, positive: str | None) -> dict[str, Any]:
    """Return the metrics without those of single labels, apart from `positive`: the state of a run must stay small."""
    content: dict[str, Any] = {name: number for name, number in agreement.items() if name not in LABEL_METRICS}
    for name in LABEL_METRICS:
        row = cast("dict[str, Any]", agreement).get(name) or {}
        if positive in row:
            content[name] = {positive: row[positive]}
    reasons = {name: reason for name, reason in agreement.get("undefined", {}).items() if "." not in name}
    return {**content, "undefined": reasons} if reasons else {k: v for k, v in content.items() if k != "undefined"}
