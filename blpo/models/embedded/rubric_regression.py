"""Regression of the embedded optimizer over the cases: changes of the rubric that bring the judge closer to people.

The ridge regression predicts human labels from the attributes, and shrinks towards the current rubric. Sentences of the
rubric carry the evidence of earlier batches; a new sentence must earn its weight. The weights are rounded to words.
Ratings are regressed in steps of a five-point scale. A category is 1 if people chose the category, and -1 otherwise.

A pair is regressed on differences, first image less second, without a start: 1 if people chose the first image, -1 for
the second, 0 for a tie. The scale of a pair's rubric is arbitrary, and only its sign decides.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from blpo.models.embedded.label_axis import LabelAxis, label_axes
from blpo.models.embedded.message_reading import MessageCase
from blpo.models.embedded.rubric import Bound, RubricStart, Rule, Sentence, subject
from blpo.models.embedded.rubric_verdict import STRENGTH_UNIT, LabelSet

START_DOUBT = 40.0
"""Ridge penalty of the start: number of cases that move the start half of the way.

Batches are drawn to hold errors of all kinds, so a batch says little about the frequency of a label.
"""
RULE_DOUBTS = tuple(75.0 * 0.6**step for step in range(12))
"""Candidates for the ridge penalty of rules."""
RIGHT_CASE_WEIGHT = 2.0
"""Weight of a right case under a rubric with rules and two labels.

A judge with rules is right more often than in half of the cases, but only half of a batch is right.
"""
MIN_CASES = 6
"""Minimum number of cases, and of cases that state an attribute."""
MIN_SPREAD = 2.0
"""Minimum standard deviation of an attribute over the cases (scale from 0 to 100)."""
REACH = 1.0
"""Standard deviations from the mean at which a new rule counts in full."""

_Numbers = NDArray[np.float64]
_MIDDLES = (10.0, 30.0, 50.0, 70.0, 90.0)


@dataclass(frozen=True, slots=True)
class RubricChange:
    """Change of a sentence. `before` is None for a new sentence, `after` is None for a removed sentence."""

    before: Sentence | None
    after: Sentence | None


def find_changes(cases: Sequence[MessageCase], rubric: Sequence[Sentence], labels: LabelSet) -> list[RubricChange]:
    """Return the changes that the cases call for; empty if the cases teach nothing."""
    return [change for axis in label_axes(labels) for change in _changes(cases, rubric, axis)]


def _changes(cases: Sequence[MessageCase], rubric: Sequence[Sentence], axis: LabelAxis) -> list[RubricChange]:
    pairs = [(case, place) for case in cases if (place := axis.place(case.human)) is not None]
    if len(pairs) < MIN_CASES:
        return []
    cases, places = [case for case, _ in pairs], np.array([place for _, place in pairs])
    starts = [s for s in rubric if isinstance(s, RubricStart) and axis.sign(s)]
    old = [s for s in rubric if isinstance(s, Rule) and axis.sign(s)]
    new = _candidates(cases, {rule.attribute for rule in old}, axis)
    weights = [axis.sign(rule) * rule.weight * STRENGTH_UNIT for rule in old]
    before = np.array([axis.start(starts), *weights, *(0.0 for _ in new)])
    start = np.zeros(len(cases)) if axis.is_pair else np.ones(len(cases))
    columns = np.column_stack([start, *(_column(rule, cases, axis) for rule in (*old, *new))])
    right = RIGHT_CASE_WEIGHT if old and (axis.opposite is not None or axis.is_pair) else 1.0
    counts = np.array([right if case.right else 1.0 for case in cases])
    after = before + ridge_shift(columns, places - columns @ before, counts)
    changes = [] if axis.is_pair else _start_changes(starts, axis.start_at(after[0]))
    for rule, weight in zip((*old, *new), after[1:], strict=True):
        changes.append(RubricChange(rule if rule in old else None, axis.with_weight(rule, weight)))
    return [effective for change in changes for effective in _effective(change)]


def ridge_shift(columns: _Numbers, residual: _Numbers, counts: _Numbers) -> _Numbers:
    """Return the ridge regression of the rubric's residual. `counts` are weights of the cases.

    The penalty of the rules maximizes the likelihood of the cases (empirical Bayes), so that few cases suffice for a
    clear cause, but not for a noisy cause. The systems to solve grow with the rules and not with the cases.
    """
    weighted = columns.T * counts
    gram, target, total = weighted @ columns, weighted @ residual, float(counts @ residual**2)
    best, most = np.zeros(len(gram)), -math.inf
    for doubt in RULE_DOUBTS:
        penalties = np.array([START_DOUBT, *(doubt for _ in best[1:])])
        penalized = gram + np.diag(penalties)
        solution = np.asarray(np.linalg.solve(penalized, target), dtype=np.float64)
        log_determinant = float(np.linalg.slogdet(penalized)[1] - np.log(penalties).sum())
        likelihood = -len(residual) * math.log(max(total - float(target @ solution), 1e-9)) - log_determinant
        if likelihood > most:
            best, most = solution, likelihood
    return best


def _effective(change: RubricChange) -> list[RubricChange]:
    """Return the change; nothing for a change without effect; a removal and an addition for a new subject."""
    before, after = change.before, change.after
    if before == after:
        return []
    if before is not None and after is not None and subject(before) != subject(after):
        return [RubricChange(before, None), RubricChange(None, after)]
    return [change]


def _start_changes(starts: Sequence[RubricStart], after: RubricStart | None) -> list[RubricChange]:
    removals = [RubricChange(start, None) for start in starts[1:]]
    return [RubricChange(starts[0] if starts else None, after), *removals]


def _candidates(cases: Sequence[MessageCase], in_rubric: set[str], axis: LabelAxis) -> list[Rule]:
    """Return a rule for every attribute that enough cases state and the rubric lacks. The bounds fit the values."""
    values_of: dict[str, list[float]] = {}
    images = [values for case in cases for values in (case.pair if axis.is_pair else (case.values,))]
    for values in images:
        for name, value in values.items():
            values_of.setdefault(name, []).append(value)
    new = {name: np.array(numbers) for name, numbers in sorted(values_of.items()) if name not in in_rubric}
    return [
        _candidate(name, numbers, axis)
        for name, numbers in new.items()
        if len(numbers) >= MIN_CASES and numbers.std() >= MIN_SPREAD
    ]


def _candidate(name: str, values: _Numbers, axis: LabelAxis) -> Rule:
    low, high = values.mean() - REACH * values.std(), values.mean() + REACH * values.std()
    low, high = min(combinations(_MIDDLES, 2), key=lambda pair: (pair[0] - low) ** 2 + (pair[1] - high) ** 2)
    return Rule(name, axis.label, 1.0, Bound(high, above=True), Bound(low, above=False))


def _column(rule: Rule, cases: Sequence[MessageCase], axis: LabelAxis) -> _Numbers:
    """Return the share of the rule in every case. A case without the attribute gets the mean share."""
    shares = [_pair_share(rule, case) if axis.is_pair else _share(rule, case.values) for case in cases]
    numbers = [share for share in shares if share is not None]
    mean = sum(numbers) / len(numbers) if numbers else 0.0
    return np.array([mean if share is None else share for share in shares])


def _pair_share(rule: Rule, case: MessageCase) -> float | None:
    """Return the share in the first image less the share in the second."""
    first, second = (_share(rule, values) for values in case.pair)
    return None if first is None or second is None else first - second


def _share(rule: Rule, values: Mapping[str, float]) -> float | None:
    return rule.share(values[rule.attribute]) if rule.attribute in values else None
