"""Comparison of two methods over several seeds. Seeds vary, and samples vary.

A method that runs with other seeds gives other prompts, and other samples give other verdicts. A test of the samples
alone takes the runs for fixed, and calls noise of the runs a difference. A test of the seeds alone takes the samples
for fixed, but the seeds share samples. So the variance of the mean difference is estimated two-way, by seeds and by
groups of samples (Cameron, Gelbach and Miller 2011; Miglioretti and Heagerty 2007). The parts of the variance come from
the influence of every sample on the metric. The test is Student's t with Satterthwaite's degrees of freedom.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, sqrt

import numpy as np
from scipy.special import stdtr, stdtrit

from blpo.metrics.agreement import farthest_label
from blpo.metrics.answer_patterns import Integers
from blpo.metrics.confusion import Floats
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.rankings import list_rows
from blpo.metrics.significance import ROUNDING_ERROR
from blpo.metrics.task_codes import chance_level
from state.sample import Label
from state.settings import Settings, TaskSettings

_STEP = 0.5
"""Samples added to a cell of a confusion matrix for the influence of a sample. A step far below 1 would take the jump
of an undefined metric for an infinite influence."""
_CONFIDENCE = 0.95
_NO_VARIANCE = 1e-20
"""Variances below this are rounding errors."""


@dataclass(frozen=True, slots=True)
class PairedAnswer:
    """Answers of two methods to a sample, under one seed."""

    sample: str
    """Sample id. The same sample has the same id in all seeds."""
    human: Label
    first: Label | None
    """None for a failure, which counts as the label farthest from the human label."""
    second: Label | None
    group: str | None = None
    """None for a sample that is a group of its own."""
    task: str = ""
    """Task of the sample; empty for a single task."""

    @property
    def unit(self) -> tuple[str, str]:
        """Key of the group, equal for all samples of the group."""
        return ("", self.sample) if self.group is None else (self.group, "")


_Units = Mapping[tuple[str, str], int]
"""Place of every group."""
_Scores = Callable[[Sequence[PairedAnswer], _Units], tuple[float, Floats]]
"""Function of the answers of one seed: metric(second) - metric(first), and the influence of every group on it."""


@dataclass(frozen=True, slots=True)
class SeedsComparison:
    """Result of a comparison of two methods."""

    difference: float
    """Mean over seeds of metric(second) - metric(first)."""
    interval: tuple[float, float]
    """95 % interval of the difference over seeds and samples."""
    p_value: float
    """Two-sided, in (0, 1]."""
    seeds: int
    """Seeds with at least one sample."""
    samples: int
    """Different samples."""
    groups: int
    """Different groups; a sample without a group is a group of its own."""


@dataclass(frozen=True, slots=True)
class _Variance:
    """Variance of the mean difference."""

    of_seeds: float
    """Variance between seeds; 0 for a single seed."""
    of_groups: float
    """Variance between groups, without the part that `of_seeds` holds too."""
    total: float
    degrees: float
    """Degrees of freedom (Satterthwaite)."""


def compare_seeds(seeds: Sequence[Sequence[PairedAnswer]], task: TaskSettings, metric: str) -> SeedsComparison:
    """Compare two methods by the mean of a metric over seeds. An inner sequence is the test split of one seed.

    Hypothesis: the mean difference is 0 for other seeds and other samples. The splits of the seeds may be the same, may
    overlap or be distinct. A single seed has no spread between runs: its test is about the samples alone. No difference
    at all gives p = 1 and the interval (0, 0). Raises `ValueError` for a label outside the task.
    """
    return _compared(seeds, partial(_scores, task, metric))


def compare_seeds_on_tasks(seeds: Sequence[Sequence[PairedAnswer]], settings: Settings) -> SeedsComparison:
    """Compare two methods by `above_chance` over several tasks, as `compare_seeds`.

    The difference and the influences of a seed are the means over tasks of those of the task's own metric, divided by
    1 - chance.
    """
    return _compared(seeds, partial(_scores_on_tasks, settings))


def _compared(seeds: Sequence[Sequence[PairedAnswer]], scores_of: _Scores) -> SeedsComparison:
    splits = [rows for rows in seeds if rows]
    samples = {row.sample for rows in splits for row in rows}
    units = {unit: place for place, unit in enumerate(sorted({row.unit for rows in splits for row in rows}))}
    if not splits:
        return SeedsComparison(0.0, (0.0, 0.0), 1.0, 0, 0, 0)
    scores = [scores_of(rows, units) for rows in splits]
    differences = np.array([difference for difference, _ in scores])
    influences = np.array([influence for _, influence in scores])
    variance = _variance(differences, influences)
    mean = float(differences.mean())
    p_value, half = _student(mean, variance, len(units))
    return SeedsComparison(mean, (mean - half, mean + half), p_value, len(splits), len(samples), len(units))


def _student(mean: float, variance: _Variance, groups: int) -> tuple[float, float]:
    """Return the two-sided p-value and half the width of the interval.

    Without any variance all groups changed alike: the p-value is that of a sign test of the groups.
    """
    if variance.total <= _NO_VARIANCE:
        return (1.0 if abs(mean) <= ROUNDING_ERROR else 2.0 ** (1 - groups)), 0.0
    error = sqrt(variance.total)
    p_value = 2 * float(stdtr(variance.degrees, -abs(mean) / error))
    half = float(stdtrit(variance.degrees, (1 + _CONFIDENCE) / 2)) * error
    return min(1.0, max(p_value, float(np.finfo(float).tiny))), half


def _variance(differences: Floats, influences: Floats) -> _Variance:
    """Return the two-way variance. `differences` has shape (seeds,), `influences` shape (seeds, groups).

    The variance by groups also holds the noise of single verdicts, which the variance by seeds holds already. The
    subtraction leaves the covariances of a group between different seeds, a share of (seeds - 1) / seeds of the part
    that is missing from the variance by seeds. The total is at least the variance by groups: the subtraction is noisy.
    The factor for few groups is about that of leaving groups out (CV3).
    """
    seeds, groups = influences.shape
    factor = (groups / (groups - 1)) ** 2 if groups > 1 else 1.0
    by_groups = float(((influences.sum(0) / seeds) ** 2).sum()) * factor
    if seeds == 1:
        return _Variance(0.0, by_groups, by_groups, max(groups - 1, 1))
    by_seeds = float(differences.var(ddof=1)) / seeds
    by_verdicts = float(((influences / seeds) ** 2).sum()) * factor
    of_groups = max(by_groups - by_verdicts, 0.0) * seeds / (seeds - 1)
    if by_groups > by_seeds + of_groups:
        return _Variance(by_seeds, of_groups, by_groups, max(groups - 1, 1))
    total = by_seeds + of_groups
    parts = by_seeds**2 / (seeds - 1) + of_groups**2 / max(groups - 1, 1)
    return _Variance(by_seeds, of_groups, total, total**2 / parts if parts > 0 else inf)


def _scores_on_tasks(settings: Settings, rows: Sequence[PairedAnswer], units: _Units) -> tuple[float, Floats]:
    difference, influence = 0.0, np.zeros(len(units))
    names = list(dict.fromkeys(row.task for row in rows))
    for name in names:
        own, part = settings.of_task(name), [row for row in rows if row.task == name]
        value, change = _scores(own.task, own.search.metric, part, units)
        chance = chance_level([row.human for row in part], own)
        scale = 1 / (1 - chance) if chance < 1 else 0.0
        difference, influence = difference + scale * value, influence + scale * change
    return difference / len(names), influence / len(names)


def _scores(task: TaskSettings, metric: str, rows: Sequence[PairedAnswer], units: _Units) -> tuple[float, Floats]:
    """Return metric(second) - metric(first) of one seed, and the influence of every group on this difference.

    The influence of a group is the sum over its samples; the influences of a seed sum to 0.
    """
    if task.kind == "ranking":
        before, after, change = _changes_of_lists(rows, task, metric)
        return after - before, _by_group(rows, units, change)
    answers = [(row.human, *(_label(answer, row.human, task) for answer in (row.first, row.second))) for row in rows]
    labels = LabelCodes.of((label for triple in answers for label in triple), task)
    human, first, second = np.array([[labels.codes[label] for label in triple] for triple in answers]).T
    before, old = _influence(human * len(labels) + first, labels, metric)
    after, new = _influence(human * len(labels) + second, labels, metric)
    return after - before, _by_group(rows, units, new - old)


def _by_group(rows: Sequence[PairedAnswer], units: _Units, change: Floats) -> Floats:
    influence = np.zeros(len(units))
    np.add.at(influence, [units[row.unit] for row in rows], change - change.mean())
    return influence


def _changes_of_lists(rows: Sequence[PairedAnswer], task: TaskSettings, metric: str) -> tuple[float, float, Floats]:
    """Return a mean over rankings for both methods, and the share of every list in the change of the mean."""
    answers = [
        (0, (row.human, _label(row.first, row.human, task), _label(row.second, row.human, task))) for row in rows
    ]
    values = np.array([[old, new] for old, new, _, _ in list_rows(answers, metric)])
    before, after = values.mean(0)
    return float(before), float(after), (values[:, 1] - values[:, 0]) / len(values)


def _influence(cells: Integers, labels: LabelCodes, metric: str) -> tuple[float, Floats]:
    """Return the metric and the influence of every sample. `cells` are places in the flattened confusion matrix."""
    size = len(labels)
    counts = np.bincount(cells, minlength=size**2).astype(np.float64)
    stack = np.concatenate([counts[None], counts + _STEP * np.eye(size**2)]).reshape(-1, size, size)
    values = labels.values(stack, metric)
    return float(values[0]), ((values[1:] - values[0]) / _STEP)[cells]


def _label(answer: Label | None, human: Label, task: TaskSettings) -> Label:
    return farthest_label(human, task) if answer is None else answer
