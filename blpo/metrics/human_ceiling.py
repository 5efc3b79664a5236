"""Human ceiling: how far one rater agrees with the other raters, and the judge with the same references.

A judge is compared with the aggregate of several people, and no single person agrees with the aggregate fully. So the
judge is set beside one rater. For every rater the reference is the aggregate of all other raters. The rater and the
judge are scored against this reference, on the samples of the rater. The ceiling is the mean over raters, and so is the
value of the judge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from blpo.metrics.confusion import Floats
from blpo.metrics.krippendorff import krippendorff_alpha, level_of
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.mean_ratings import MEAN_METRICS, correlations
from blpo.metrics.pairs import strict_label
from blpo.metrics.resampling import batch_sizes, expanded_tail, generator_of, own_groups
from blpo.metrics.undefined import Undefined
from state.result import HumanCeiling
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Verdict

LEAST_RATINGS = 10
"""A rater with fewer ratings on the test split gives no metric of one rater."""
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class RaterAnswer:
    """Rating of one person, and the aggregate of all other raters of the sample."""

    place: int
    """Number of the sample."""
    rater: str
    label: Label
    """The rating as a label: a fraction is the nearest rating."""
    value: Label | float
    """The rating as it is."""
    reference: Label
    exact: float | None
    """Reference before rounding; None for a majority."""
    is_tied: bool
    """True if a tie of the other raters was broken."""


def human_ceiling(
    answers: Sequence[RaterAnswer],
    samples: Sequence[Sample],
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]],
    task: TaskSettings,
    metric: str,
    seed: int,
) -> HumanCeiling:
    """Return the ceiling and the judge's values under two prompts, over the samples without an error.

    `verdicts` are those of the first and of the selected prompt, for `samples`. Only raters with `LEAST_RATINGS`
    ratings count. With fewer than two such raters, all ratings together count as those of one rater (`pooled`). A rater
    for whom the metric of the rater or of the judge is undefined is left out of the mean. Intervals are percentile
    bootstraps over groups of samples and over raters; references stay as they are.
    """
    rows = [answer for answer in answers if all(side[answer.place].status != "error" for side in verdicts)]
    people = list(dict.fromkeys(answer.rater for answer in rows))
    units = _units(rows)
    ratings = [[rating.value for rating in sample.ratings] for sample in samples]
    alpha = krippendorff_alpha(ratings, level_of(task))
    result = HumanCeiling(
        value=None,
        ci95=None,
        raters=len(people),
        alpha=None if isinstance(alpha, Undefined) else alpha,
        judge={"initial": None, "best": None},
        difference_ci95=None,
        samples=len({answer.place for answer in rows}),
        ties=0 if _compares_means(metric, task) else sum(answer.is_tied for answer in rows),
        pooled=len(units) == 1,
        left_out=0 if len(units) < 2 else len(people) - len(units),
    )
    if not rows:
        return {**result, "undefined": "no sample has the ratings of two people"}
    scorer = _Scorer.of(rows, verdicts, samples, task, metric)
    ones = np.ones((1, len(samples))), np.ones((1, len(people)))
    human, first, second = scorer.means(units, people, *ones)
    if np.isnan([human[0], second[0]]).any():
        return {**result, "undefined": f"{metric} is undefined for every rater"}
    result["value"], result["judge"] = float(human[0]), {"initial": _or_none(first[0]), "best": float(second[0])}
    observed = float(human[0]), float(second[0] - human[0])
    result["ci95"], result["difference_ci95"] = _intervals(scorer, units, people, samples, seed, observed)
    return result


def _units(rows: Sequence[RaterAnswer]) -> list[list[int]]:
    """Return the rows of every rater with enough ratings; with fewer than two such raters, all rows as one unit."""
    by_rater: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        by_rater.setdefault(row.rater, []).append(place)
    units = [places for places in by_rater.values() if len(places) >= LEAST_RATINGS]
    return units if len(units) > 1 else [list(range(len(rows)))]


def _compares_means(metric: str, task: TaskSettings) -> bool:
    """Return True for a metric against means as they are: no reference is rounded."""
    return metric in MEAN_METRICS and task.round == "none"


def _or_none(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


@dataclass(frozen=True, slots=True)
class _Scorer:
    """Metric of the ratings and of the two prompts' verdicts against the references, for weighted samples."""

    places: NDArray[np.int64]
    """Sample of every row."""
    raters: NDArray[np.int64]
    """Rater of every row."""
    sides: tuple[Floats, Floats, Floats]
    """Answers of rater, first prompt and selected prompt: codes of labels, or ratings."""
    references: Floats
    """Codes of labels, or ratings with fractions."""
    metric: str
    codes: LabelCodes | None
    """None for metrics against means."""

    @classmethod
    def of(
        cls,
        rows: Sequence[RaterAnswer],
        verdicts: tuple[Sequence[Verdict], Sequence[Verdict]],
        samples: Sequence[Sample],
        task: TaskSettings,
        metric: str,
    ) -> "_Scorer":
        judged = [[_strict(side[row.place], row.reference, task) for row in rows] for side in verdicts]
        people = {rater: place for place, rater in enumerate(dict.fromkeys(row.rater for row in rows))}
        arrays = np.array([row.place for row in rows]), np.array([people[row.rater] for row in rows])
        if _compares_means(metric, task):
            own = [float(row.value) for row in rows]
            sides = own, *([float(label) for label in side] for side in judged)
            means = [float(row.reference) if row.exact is None else row.exact for row in rows]
            return cls(*arrays, _arrays(sides), np.array(means), metric, None)
        labels = [[row.label for row in rows], *judged]
        references = [row.reference for row in rows]
        codes = LabelCodes.of({*references, *(label for side in labels for label in side)}, task)
        sides_of_codes = [[codes.codes[label] for label in side] for side in labels]
        return cls(*arrays, _arrays(sides_of_codes), np.array([codes.codes[y] for y in references]), metric, codes)

    def means(
        self, units: Sequence[Sequence[int]], people: Sequence[str], samples: Floats, raters: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return the means over raters of rater, first prompt and selected prompt, for every row of weights.

        `samples`, of shape (rows, samples), and `raters`, of shape (rows, raters), are the weights. NaN where every
        rater is undefined.
        """
        pooled = len(units) == 1
        values = np.stack([self._of_unit(np.array(unit), samples, raters, pooled=pooled) for unit in units], axis=2)
        weights = np.ones(values.shape[1:]) if pooled else raters[:, [self.raters[unit[0]] for unit in units]]
        weights = np.where(np.isnan(values[[0, 2]]).any(axis=0), 0.0, weights)
        total = weights.sum(axis=1)
        sums = (np.nan_to_num(values) * weights).sum(axis=2)
        means = np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0)
        return means[0], means[1], means[2]

    def _of_unit(self, unit: NDArray[np.int64], samples: Floats, raters: Floats, *, pooled: bool) -> Floats:
        """Return the metric of the three sides on the rows of a unit: shape (3, rows of weights)."""
        weights = samples[:, self.places[unit]]
        if pooled:
            weights = weights * raters[:, self.raters[unit]]
        return np.stack([self._values(side[unit], self.references[unit], weights) for side in self.sides])

    def _values(self, answers: Floats, references: Floats, weights: Floats) -> Floats:
        if self.codes is None:
            return correlations(answers, references, weights, self.metric)
        size = len(self.codes)
        cells = references.astype(np.int64) * size + answers.astype(np.int64)
        matrix = csr_array((np.ones(len(cells)), (np.arange(len(cells)), cells)), shape=(len(cells), size**2))
        return self.codes.values_or_nan(np.asarray(weights @ matrix).reshape(-1, size, size), self.metric)


def _intervals(
    scorer: _Scorer,
    units: Sequence[Sequence[int]],
    people: Sequence[str],
    samples: Sequence[Sample],
    seed: int,
    observed: tuple[float, float],
) -> tuple[list[float] | None, list[float] | None]:
    """Return the 95 % intervals of the ceiling, and of judge - rater; None for a single group or a single rater.

    `observed` are the two values. A resample of a rater's few samples lacks some labels, so metrics of classes are
    lower there: the resamples are shifted to have their mean at the observed value.
    """
    _, members = np.unique([str(unit) for unit in own_groups([s.group for s in samples])], return_inverse=True)
    groups = len(set(members[scorer.places]))
    counted = sorted({int(scorer.raters[place]) for unit in units for place in unit})
    if groups < 2 or len(counted) < 2:
        return None, None
    present = np.isin(np.arange(members.max() + 1), members[scorer.places])
    generator = generator_of(seed, "human ceiling")
    human, difference = [], []
    numbers = max(len(scorer.places), 0 if scorer.codes is None else len(scorer.codes) ** 2)
    for size in batch_sizes(_RESAMPLES, numbers):
        of_groups = generator.multinomial(groups, present / groups, size)[:, members].astype(np.float64)
        of_raters = np.zeros((size, len(people)))
        of_raters[:, counted] = generator.multinomial(len(counted), np.full(len(counted), 1 / len(counted)), size)
        rater, _, judge = scorer.means(units, people, of_groups, of_raters)
        human.append(rater)
        difference.append(judge - rater)
    tail = expanded_tail(groups)
    drawn = [np.concatenate(values) for values in (human, difference)]
    shifted = [values - np.nanmean(values) + value for values, value in zip(drawn, observed, strict=True)]
    ends = [np.nanquantile(values, [tail, 1 - tail]) for values in shifted]
    return np.clip(ends[0], -1.0, 1.0).tolist(), np.clip(ends[1], -2.0, 2.0).tolist()


def _strict(verdict: Verdict, reference: Label, task: TaskSettings) -> Label:
    """Return the label that a verdict without an error counts as: a failure is the farthest label."""
    label = strict_label(verdict.status, verdict.label, reference, task)
    assert label is not None, "verdicts with an error are left out before"
    return label


def _arrays(sides: Iterable[Sequence[float]]) -> tuple[Floats, Floats, Floats]:
    first, second, third = (np.array(side, dtype=np.float64) for side in sides)
    return first, second, third
