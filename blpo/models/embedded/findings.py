"""What the embedded optimizer finds in the cases: which sentences would bring the judge closer to people.

A ridge regression of people's labels on the attributes shown, drawn towards the rubric in use: its sentences carry the
evidence of earlier batches, new ones have to earn their weight. The outcome is rounded to what words can say. Ratings
are regressed in steps of a five-point scale, a category as 1 where people chose it and -1 elsewhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from blpo.models.embedded.axis import Axis, axes
from blpo.models.embedded.judging import UNIT, Labels
from blpo.models.embedded.reading import ShownCase
from blpo.models.embedded.rubric import Bound, Rule, Sentence, Start, subject

START_DOUBT = 40.0
"""Ridge penalty: how many cases it takes to move the start half of the way. Batches are
drawn to hold errors of all sorts, so they say little of how often each label occurs."""
RULE_DOUBTS = tuple(75.0 * 0.6**step for step in range(12))
"""The same for rules: the penalties to choose from."""
MORE_RIGHT = 2.0
"""What a rightly judged case counts where there are rules and two labels: a judge with rules is right more often than
the half of a batch that is."""
FEWEST_CASES = 6
"""An attribute stated by fewer cases is not considered, nor are fewer cases at all."""
LEAST_SPREAD = 2.0
"""Nor is an attribute whose standard deviation over the cases is smaller (on its scale from 0 to 100)."""
FACTORS = tuple(5.0 * 0.6**step for step in range(12))
"""Factors of all doubts to choose from."""
REACH = 1.0
"""How many standard deviations from their mean the cases' values lie where a new rule counts in full."""

Numbers = NDArray[np.float64]
_MIDDLES = (10.0, 30.0, 50.0, 70.0, 90.0)


@dataclass(frozen=True, slots=True)
class Change:
    """One change to the rubric: `before` None adds a sentence, `after` None leaves one out."""

    before: Sentence | None
    after: Sentence | None


def find_changes(cases: Sequence[ShownCase], rubric: Sequence[Sentence], labels: Labels) -> list[Change]:
    """Return the changes that the cases ask for; none where there is nothing to learn."""
    return [change for axis in axes(labels) for change in _changes(cases, rubric, axis)]


def _changes(cases: Sequence[ShownCase], rubric: Sequence[Sentence], axis: Axis) -> list[Change]:
    placed = [(case, place) for case in cases if (place := axis.place(case.human)) is not None]
    if len(placed) < FEWEST_CASES:
        return []
    shown, places = [case for case, _ in placed], np.array([place for _, place in placed])
    starts = [s for s in rubric if isinstance(s, Start) and axis.sign(s)]
    old = [s for s in rubric if isinstance(s, Rule) and axis.sign(s)]
    new = _candidates(shown, {rule.attribute for rule in old}, axis)
    before = np.array([axis.start(starts), *(axis.sign(r) * r.weight * UNIT for r in old), *(0.0 for _ in new)])
    columns = np.column_stack([np.ones(len(shown)), *(_column(rule, shown) for rule in (*old, *new))])
    right = MORE_RIGHT if old and axis.other is not None else 1.0
    counts = np.array([right if case.right else 1.0 for case in shown])
    after = before + _shift(columns, places - columns @ before, counts)
    found = _start_changes(starts, axis.begin_at(after[0]))
    for rule, weight in zip((*old, *new), after[1:], strict=True):
        found.append(Change(rule if rule in old else None, axis.weigh(rule, weight)))
    return [single for change in found for single in _single(change)]


def _shift(columns: Numbers, residual: Numbers, counts: Numbers) -> Numbers:
    """Ridge regression of what the rubric leaves over; `counts` weigh the cases.

    The penalty of the rules is the one that makes the cases most likely (empirical Bayes), so that clear causes are
    believed from few cases and noisy ones are not.
    """
    columns, residual = columns * np.sqrt(counts)[:, None], residual * np.sqrt(counts)
    best, most = np.zeros(columns.shape[1]), -math.inf
    for doubt in RULE_DOUBTS:
        spread = columns.T / np.array([START_DOUBT, *(doubt for _ in range(columns.shape[1] - 1))])[:, None]
        covariance = columns @ spread + np.eye(len(residual))
        solved = np.linalg.solve(covariance, residual)
        likelihood = -len(residual) * math.log(max(float(residual @ solved), 1e-9)) - float(
            np.linalg.slogdet(covariance)[1]
        )
        if likelihood > most:
            best, most = spread @ solved, likelihood
    return best


def _single(change: Change) -> list[Change]:
    """The change without one that changes nothing; two where the subject is another one."""
    before, after = change.before, change.after
    if before == after:
        return []
    if before is not None and after is not None and subject(before) != subject(after):
        return [Change(before, None), Change(None, after)]
    return [change]


def _start_changes(starts: Sequence[Start], after: Start | None) -> list[Change]:
    gone = [Change(start, None) for start in starts[1:]]
    return [Change(starts[0] if starts else None, after), *gone]


def _candidates(cases: Sequence[ShownCase], known: set[str], axis: Axis) -> list[Rule]:
    """A rule for each attribute that the rubric lacks and enough cases state, with bounds that fit its values there."""
    stated: dict[str, list[float]] = {}
    for case in cases:
        for name, value in case.values.items():
            stated.setdefault(name, []).append(value)
    fit = {name: np.array(values) for name, values in sorted(stated.items()) if name not in known}
    return [
        _candidate(name, values, axis)
        for name, values in fit.items()
        if len(values) >= FEWEST_CASES and values.std() >= LEAST_SPREAD
    ]


def _candidate(name: str, values: Numbers, axis: Axis) -> Rule:
    low, high = values.mean() - REACH * values.std(), values.mean() + REACH * values.std()
    low, high = min(combinations(_MIDDLES, 2), key=lambda pair: (pair[0] - low) ** 2 + (pair[1] - high) ** 2)
    return Rule(name, axis.label, 1.0, Bound(high, above=True), Bound(low, above=False))


def _column(rule: Rule, cases: Sequence[ShownCase]) -> Numbers:
    """How far the rule holds in each case; where a case doesn't state the attribute, the mean of the others."""
    shares = [rule.share(case.values[rule.attribute]) if rule.attribute in case.values else None for case in cases]
    known = [share for share in shares if share is not None]
    mean = sum(known) / len(known) if known else 0.0
    return np.array([mean if share is None else share for share in shares])
