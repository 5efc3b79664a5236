"""Shares of labels among judged samples, corrected for the judge's own errors.

A judge that calls 10 % of safe images unsafe reports unsafe images even if all images are safe. If people have labelled
some samples, M[i, j] is estimated: the share of samples with label i that are judged j. The shares p of the labels then
follow from the shares q of the verdicts: q = M' p. For two labels the solution is the estimator of Rogan and Gladen
(1978), p = (q + specificity - 1) / (sensitivity + specificity - 1). Here least squares over non-negative shares solve
the equation for any number of labels. A verdict without a label (refused, unparseable) is an outcome of its own, so
that a judge that refuses unsafe images does not hide unsafe images.

M and q are estimates. The interval is a Bayesian bootstrap over M and q: every sample gets an exponential weight, so
that the rows are Dirichlet around the counts, with two further samples spread over the outcomes of a row. Lang and
Reiczigel (2014) add a sample to every cell for two labels in the same way: a sensitivity of 20 in 20 is no certainty.
Samples of a group, such as images of one text, share their weight: they are one observation.

Assumption: an image with label i is judged j as often among the judged as among the labelled samples. The labels may be
more or less frequent among the labelled samples: a labelled set balanced by label will do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.resampling import generator_of
from state.sample import Label

Outcome = Label | None
"""Label in the judge's verdict; None for a verdict without a label."""

DRAWS = 2000
"""Bootstrap draws."""
ADDED_SAMPLES = 2.0
"""Samples added to a row in the bootstrap, spread evenly over the outcomes."""
_SINGULAR = 1e-6
"""Smallest singular value of a matrix that tells all labels apart."""
_ROUNDING_ERROR = 1e-12


@dataclass(frozen=True, slots=True)
class Share:
    """Share of a label among all judged samples, in [0, 1]."""

    label: Label
    judged: float
    """Share of the label among the verdicts with a label."""
    corrected: float | None
    """Share without the judge's errors; None if undefined."""
    interval: tuple[float, float] | None
    """95 % interval of `corrected`."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of all labels of a task."""

    labelled: int
    """Samples with a human label. The correction rests on these samples."""
    undefined: str | None
    """Reason for a missing correction; None if the shares are corrected."""
    absent: tuple[Label, ...]
    """Labels that no labelled sample has. Their corrected share is taken as 0."""
    shares: tuple[Share, ...]


def corrected_shares(
    label_counts: Mapping[tuple[Label, Outcome], int],
    verdict_counts: Mapping[Outcome, int],
    labels: Sequence[Label],
    seed: int = 0,
    label_groups: Sequence[Mapping[tuple[Label, Outcome], int]] = (),
    verdict_groups: Sequence[Mapping[Outcome, int]] = (),
) -> Shares:
    """Return the shares of `labels` among the judged samples, corrected by the labelled samples.

    `label_counts` counts pairs of human label and verdict. `verdict_counts` counts verdicts of all judged samples. The
    groups count the same samples again: those of each group of several samples. Groups change the intervals alone. Same
    input and seed, same result. The correction is undefined if either of the counts is empty.
    """
    human = [label for label in labels if any(count for (y, _), count in label_counts.items() if y == label)]
    occurring = {outcome for _, outcome in label_counts} | set(verdict_counts)
    outcomes: list[Outcome] = [outcome for outcome in (*labels, None) if outcome in occurring]
    pairs = [(y, o) for y in human for o in outcomes]
    labelled, verdicts = (
        _Counts.of(label_counts, label_groups, pairs),
        _Counts.of(verdict_counts, verdict_groups, outcomes),
    )
    table, counts = labelled.all.reshape(len(human), len(outcomes)), verdicts.all
    undefined = _reason_undefined(table, counts, human, outcomes)
    corrections = {} if undefined else dict(zip(human, _corrections(labelled, verdicts, seed), strict=True))
    answered = max(1, sum(verdict_counts.get(label, 0) for label in labels))
    missing = (None if undefined else 0.0, None)
    return Shares(
        int(table.sum()),
        undefined,
        tuple(label for label in labels if label not in human),
        tuple(
            Share(label, verdict_counts.get(label, 0) / answered, *corrections.get(label, missing)) for label in labels
        ),
    )


_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts of cells, and the part of every group."""

    all: Floats
    """Shape (cells,)."""
    groups: Floats
    """Shape (groups, cells)."""

    @classmethod
    def of(cls, counts: Mapping[_K, int], groups: Sequence[Mapping[_K, int]], cells: Sequence[_K]) -> "_Counts":
        rows = [[group.get(cell, 0) for cell in cells] for group in groups]
        return cls(
            np.array([counts.get(cell, 0) for cell in cells], dtype=np.float64),
            np.array(rows, dtype=np.float64).reshape(len(groups), len(cells)),
        )

    def weighted(self, generator: np.random.Generator, added: float) -> Floats:
        """Return bootstrap counts, shape (draws, cells), with `added` samples in every cell."""
        singles = self.all - self.groups.sum(axis=0)
        weights = generator.exponential(size=(DRAWS, len(self.groups)))
        return np.asarray(generator.gamma(singles + added, size=(DRAWS, len(singles))) + weights @ self.groups)


def _corrections(labelled: _Counts, verdicts: _Counts, seed: int) -> list[tuple[float, tuple[float, float]]]:
    """Return the corrected share and its interval, for every human label. The interval holds the share."""
    table = labelled.all.reshape(-1, len(verdicts.all))
    shares = _least_squares(_normalised(table), _normalised(verdicts.all))
    low, high = np.quantile(_bootstrap(labelled, verdicts, seed), [0.025, 0.975], axis=0)
    bounds = zip(shares, np.minimum(low, shares), np.maximum(high, shares), strict=True)
    return [(float(share), (float(least), float(most))) for share, least, most in bounds]


def _reason_undefined(table: Floats, counts: Floats, human: Sequence[Label], outcomes: Sequence[Outcome]) -> str | None:
    """Return the reason for an undefined correction; None if the correction is defined."""
    if not counts.sum():
        return "nothing was judged"
    if len(human) < 2:
        state = f"all labelled samples are {human[0]}" if human else "no sample is labelled"
        return f"{state}; label samples of at least two labels"
    rates = table / table.sum(1, keepdims=True)
    recalls = [rates[i, outcomes.index(y)] if y in outcomes else 0.0 for i, y in enumerate(human)]
    if np.mean(recalls) <= 1 / len(human) + _ROUNDING_ERROR:
        return f"on the labelled samples the judge is no better than chance (mean recall {np.mean(recalls):.2f})"
    if len(human) > len(outcomes) or np.linalg.svd(rates, compute_uv=False)[-1] < _SINGULAR:
        return f"on the labelled samples the judge's verdicts don't tell all {len(human)} labels apart"
    return None


def _least_squares(rates: Floats, observed: Floats) -> Floats:
    """Return shares p, non-negative and adding up to 1, with rates' p nearest to `observed`."""
    from scipy.optimize import nnls

    equations = np.vstack([rates.T, np.ones(len(rates))])
    shares, _ = nnls(equations, np.append(observed, 1.0))
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _bootstrap(labelled: _Counts, verdicts: _Counts, seed: int) -> Floats:
    """Return bootstrap shares, shape (draws, human labels)."""
    generator = generator_of(seed, "shares")
    outcomes = len(verdicts.all)
    added = ADDED_SAMPLES / outcomes
    rates = _normalised(labelled.weighted(generator, added).reshape(DRAWS, -1, outcomes))
    observed = _normalised(verdicts.weighted(generator, added))
    return np.stack([_least_squares(m, q) for m, q in zip(rates, observed, strict=True)])


def _normalised(counts: Floats) -> Floats:
    """Return the counts as shares of their row."""
    return np.asarray(counts / counts.sum(-1, keepdims=True))
