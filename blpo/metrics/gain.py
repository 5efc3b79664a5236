"""Gain of a judge prompt over another on the same samples, with the standard error of the gain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.pairs import CountedAnswer, counted_answers
from blpo.metrics.rankings import list_rows
from blpo.metrics.resampling import own_groups
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Gain:
    """Difference of a metric between two prompts, higher is better."""

    difference: float
    """metric(after) - metric(before)."""
    noise: float
    """Standard error of the difference, by the jackknife over groups of samples."""

    @property
    def is_clear(self) -> bool:
        """True if the difference is above its standard error."""
        return self.difference > self.noise


def paired_gain(
    before: Sequence[Verdict], after: Sequence[Verdict], samples: Sequence[Sample], task: TaskSettings, metric: str
) -> Gain | None:
    """Return the gain on `samples`; None without a sample that has an answer under both prompts.

    Refused and unparseable verdicts count as wrong. A sample with an error under either prompt is left out. Rounded to
    12 decimals, so that rounding errors don't break a tie.
    """
    units = own_groups([sample.group for sample in samples])
    rows = list(counted_answers(units, before, after, [sample.label for sample in samples], task, metric))
    if not rows:
        return None
    if task.kind == "ranking":
        return _gain_of_means(list_rows(rows, metric))
    difference, by_unit = differences(rows, task, metric)
    return gain_of(difference, np.array(list(by_unit.values())))


def differences(rows: Sequence[CountedAnswer], task: TaskSettings, metric: str) -> tuple[float, dict[str | int, float]]:
    """Return metric(after) - metric(before) of at least one answer; also without each group, by group."""
    labels = LabelCodes.of((label for _, triple in rows for label in triple), task)
    places = {unit: place for place, unit in enumerate(dict.fromkeys(unit for unit, _ in rows))}
    counts = np.zeros((2, len(places), len(labels), len(labels)))
    for unit, (human, *answers) in rows:
        for side, label in enumerate(answers):
            counts[side, places[unit], labels.codes[human], labels.codes[label]] += 1
    whole = counts.sum(axis=1)
    difference = _difference(labels.values(whole, metric))
    left_out = _difference(labels.values(whole[:, None] - counts, metric))
    return float(difference), dict(zip(places, left_out.tolist(), strict=True))


def _gain_of_means(rows: Sequence[tuple[float, float, float, str | int]]) -> Gain:
    """Return the gain of a mean over samples. A row holds old value, new value, and last the group."""
    sums: dict[str | int, list[float]] = {}
    for old, new, _, unit in rows:
        total = sums.setdefault(unit, [0.0, 0.0])
        total[0] += new - old
        total[1] += 1
    changes, sizes = np.array(list(sums.values())).T
    rest = sizes.sum() - sizes
    left_out = np.divide(changes.sum() - changes, rest, out=np.zeros(len(rest)), where=rest > 0)
    return gain_of(changes.sum() / sizes.sum(), left_out)


def gain_of(difference: float, left_out: Floats) -> Gain:
    """Return the gain, with the jackknife's noise from the differences without each group; rounded to 12 decimals."""
    groups = len(left_out)
    noise = np.sqrt((groups - 1) / groups * np.square(left_out - left_out.mean()).sum())
    return Gain(round(float(difference), 12), round(float(noise), 12))


def _difference(values: Floats) -> Floats:
    """Return the values of the second prompt less those of the first, over the first axis."""
    return np.asarray(values[1] - values[0])
