"""Scores of raters and of a judge against the same references, for weighted samples and raters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from blpo.metrics.confusion import Floats
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.mean_ratings import MEAN_METRICS, correlations
from blpo.metrics.pairs import strict_label
from blpo.metrics.pairwise import counted_verdicts
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict


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


def compares_means(metric: str, task: TaskSettings) -> bool:
    """Return True for a metric against means as they are: no reference is rounded."""
    return metric in MEAN_METRICS and task.round == "none"


@dataclass(frozen=True, slots=True)
class RaterScorer:
    """Metric of the ratings and of the two prompts' verdicts against the references, for weighted samples."""

    places: NDArray[np.int64]
    """Sample of every row."""
    raters: NDArray[np.int64]
    """Rater of every row."""
    sides: tuple[Floats, Floats, Floats]
    """Answers of rater, first prompt and selected prompt: codes of labels, or ratings. Shape (rows, answers): a judge
    answers about a pair in every order, and the rater's answer stands for every order."""
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
        task: TaskSettings,
        metric: str,
    ) -> "RaterScorer":
        """Return the scorer of the raters' answers, and of the verdicts under two prompts on the same samples."""
        answers_by_side = [
            [_strict_labels(side[row.place], row.reference, task, metric) for row in rows] for side in verdicts
        ]
        people = {rater: place for place, rater in enumerate(dict.fromkeys(row.rater for row in rows))}
        arrays = np.array([row.place for row in rows]), np.array([people[row.rater] for row in rows])
        if compares_means(metric, task):
            own = [[float(row.value)] for row in rows]
            sides = own, *([[float(label) for label in answers] for answers in side] for side in answers_by_side)
            means = [float(row.reference) if row.exact is None else row.exact for row in rows]
            return cls(*arrays, _arrays(sides), np.array(means), metric, None)
        labels = [
            [[row.label] * len(answers) for row, answers in zip(rows, answers_by_side[0], strict=True)],
            *answers_by_side,
        ]
        references = [row.reference for row in rows]
        codes = LabelCodes.of({*references, *(y for side in labels for answers in side for y in answers)}, task)
        sides_of_codes = [[[codes.codes[label] for label in answers] for answers in side] for side in labels]
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
            return correlations(answers[:, 0], references, weights, self.metric)
        size = len(self.codes)
        cells = references.astype(np.int64)[:, None] * size + answers.astype(np.int64)
        rows = np.repeat(np.arange(len(cells)), cells.shape[1])
        matrix = csr_array((np.ones(cells.size), (rows, cells.ravel())), shape=(len(cells), size**2))
        return self.codes.values_or_nan(np.asarray(weights @ matrix).reshape(-1, size, size), self.metric)


def _strict_labels(verdict: Verdict, reference: Label, task: TaskSettings, metric: str) -> list[Label]:
    """Return the labels that a verdict without an error counts as, by order; a failure is the farthest label."""
    labels = [strict_label(each.status, each.label, reference, task) for each in counted_verdicts(verdict, metric)]
    return [label for label in labels if label is not None]


def _arrays(sides: Iterable[Sequence[Sequence[float]]]) -> tuple[Floats, Floats, Floats]:
    first, second, third = (np.array(side, dtype=np.float64) for side in sides)
    return first, second, third
