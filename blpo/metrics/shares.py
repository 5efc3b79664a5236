"""How many of the judged are what: shares of labels, corrected for the judge's own errors.

A judge that calls 10 % of safe images unsafe finds unsafe images where there are none. Where people have labelled some
of what was judged, M[i, j], the share of label i that is judged j, is known approximately, and the shares p of the
labels follow from the shares q of the verdicts: q = M' p. With two labels that is the estimator of Rogan and Gladen
(1978), p = (q + specificity - 1) / (sensitivity + specificity - 1); here it is solved by least squares over shares that
are not negative, for any number of labels. A verdict without a label (refused, unparseable) is an outcome of its own,
so that a judge that refuses what is unsafe does not hide it.

Both M and q are estimates. The interval is a parametric bootstrap over both: rows of M and q are drawn from Dirichlet
distributions around their counts, with two further samples spread over the outcomes of each row, as Lang and Reiczigel
(2014) add one to each cell for two labels: a sensitivity of 20 in 20 is no certainty.

What is assumed: an image with label i is judged j as often among the judged as among the labelled. How frequent the
labels are among the labelled is not assumed to be the same: a labelled sample balanced by label will do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from blpo.metrics.significance import generator_of
from state.sample import Label

Floats = NDArray[np.float64]
Outcome = Label | None
"""What the judge said; None: no label."""

DRAWS = 2000
ADDED = 2.0
"""Samples added to each row in the bootstrap, spread evenly over its outcomes."""
_SINGULAR = 1e-6


@dataclass(frozen=True, slots=True)
class Share:
    """How frequent one label is among all that was judged; in [0, 1]."""

    label: Label
    judged: float
    """Its share of the verdicts that carry a label."""
    corrected: float | None
    """Its share, less the judge's errors; None where that is undefined."""
    interval: tuple[float, float] | None
    """95 %, of `corrected`."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of all labels of a task."""

    labelled: int
    """Samples whose human label corrects them."""
    undefined: str | None
    """Why there is no correction; None where there is one."""
    absent: tuple[Label, ...]
    """Labels that no labelled sample has; their corrected share is taken as 0."""
    shares: tuple[Share, ...]


def corrected_shares(
    labelled: Mapping[tuple[Label, Outcome], int],
    judged: Mapping[Outcome, int],
    labels: Sequence[Label],
    seed: int = 0,
) -> Shares:
    """Shares of `labels` among the `judged`, by counts of verdicts, and of (human label, verdict) of a labelled sample.

    Same input and seed, same result. Nothing judged or labelled leaves the correction undefined.
    """
    human = [label for label in labels if any(count for (given, _), count in labelled.items() if given == label)]
    said = {outcome for _, outcome in labelled} | set(judged)
    outcomes: list[Outcome] = [outcome for outcome in (*labels, None) if outcome in said]
    table = np.array([[labelled.get((y, o), 0) for o in outcomes] for y in human], dtype=np.float64)
    counts = np.array([judged.get(outcome, 0) for outcome in outcomes], dtype=np.float64)
    undefined = _undefined(table, counts, human, outcomes)
    absent = tuple(label for label in labels if label not in human)
    total = int(table.sum())
    answered = max(1, sum(judged.get(label, 0) for label in labels))
    plain = {label: judged.get(label, 0) / answered for label in labels}
    if undefined:
        return Shares(total, undefined, absent, tuple(Share(label, plain[label], None, None) for label in labels))
    point = _solved(table / table.sum(1, keepdims=True), counts / counts.sum())
    low, high = np.quantile(_draws(table, counts, seed), [0.025, 0.975], axis=0)
    found = {
        y: Share(y, plain[y], float(point[i]), (float(min(low[i], point[i])), float(max(high[i], point[i]))))
        for i, y in enumerate(human)
    }
    return Shares(
        total, None, absent, tuple(found.get(label) or Share(label, plain[label], 0.0, None) for label in labels)
    )


def _undefined(table: Floats, counts: Floats, human: Sequence[Label], outcomes: Sequence[Outcome]) -> str | None:
    if not counts.sum():
        return "nothing was judged"
    if len(human) < 2:
        there = f"all labelled samples are {human[0]}" if human else "no sample is labelled"
        return f"{there}; label samples of at least two labels"
    rates = table / table.sum(1, keepdims=True)
    recalls = [rates[i, outcomes.index(y)] if y in outcomes else 0.0 for i, y in enumerate(human)]
    if np.mean(recalls) <= 1 / len(human) + 1e-12:
        return f"on the labelled samples the judge is no better than chance (mean recall {np.mean(recalls):.2f})"
    if len(human) > len(outcomes) or np.linalg.svd(rates, compute_uv=False)[-1] < _SINGULAR:
        return f"on the labelled samples the judge's verdicts don't tell all {len(human)} labels apart"
    return None


def _solved(rates: Floats, observed: Floats) -> Floats:
    """Shares p, not negative and adding up to 1, with rates' p nearest to `observed`."""
    equations = np.vstack([rates.T, np.ones(len(rates))])
    shares, _ = nnls(equations, np.append(observed, 1.0))
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _draws(table: Floats, counts: Floats, seed: int) -> Floats:
    generator = generator_of(seed, "shares")
    added = ADDED / table.shape[1]
    rates = np.stack([generator.dirichlet(row + added, DRAWS) for row in table], axis=1)
    observed = generator.dirichlet(counts + added, DRAWS)
    return np.stack([_solved(m, q) for m, q in zip(rates, observed, strict=True)])
