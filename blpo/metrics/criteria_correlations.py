"""Correlation of two criteria of the same images: of people's labels, and of the judge's answers.

Criteria conflict where people's labels of one tell little about the other. A judge with one impression for all criteria
has correlations above people's.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from state.criteria_metrics import CorrelationMeasure, CriteriaCorrelation
from state.sample import Label, Sample
from state.settings import Settings, TaskSettings
from state.verdict import Verdict

_FEWEST = 3
"""Smallest number of images for a correlation."""
_DIGITS = 4
_PREFERRED: Mapping[Label, float] = {"a": 1.0, "tie": 0.5, "b": 0.0}

Value = Label | float


def correlations(
    samples: Sequence[Sample], before: Sequence[Verdict], after: Sequence[Verdict], settings: Settings
) -> list[CriteriaCorrelation]:
    """Return a record for each two criteria with a measure; none for a run without criteria.

    The sequences list the same samples in the same order. All numbers of a record are over the images with an answer
    about both criteria under both prompts, rounded to four digits.
    """
    if not settings.criteria:
        return []
    by_task: dict[str, dict[str, tuple[Value, Label, Label]]] = {name: {} for name in settings.task_names}
    for sample, old, new in zip(samples, before, after, strict=True):
        label, first, second = sample.target, _answer(old), _answer(new)
        if label is not None and first is not None and second is not None:
            by_task[sample.task][sample.item] = (label, first, second)
    records = (_correlation(pair, by_task, settings) for pair in combinations(by_task, 2))
    return [record for record in records if record is not None]


def measure_of(first: TaskSettings, second: TaskSettings) -> CorrelationMeasure | None:
    """Return the measure for two criteria; None for labels without a common one.

    `phi`: two labels each. `spearman`: labels with an order, one of them more than two. `kappa`: more than two labels
    without an order, the same for both.
    """
    levels = [_numbers(task) for task in (first, second)]
    if all(levels):
        return "phi" if all(len(each or ()) == 2 for each in levels) else "spearman"
    return "kappa" if first.kind == second.kind == "categorical" and set(first.values) == set(second.values) else None


def correlation(pairs: Sequence[tuple[Value, Value]], first: TaskSettings, second: TaskSettings) -> float | None:
    """Return the correlation of two criteria by `measure_of`, in [-1, 1].

    None for fewer than three pairs, for criteria without a measure, and where one criterion has a single label.
    """
    measure = measure_of(first, second)
    if measure is None or len(pairs) < _FEWEST:
        return None
    if measure == "kappa":
        return _kappa([(str(one), str(other)) for one, other in pairs])
    columns = [_ranks([pair[place] for pair in pairs], task) for place, task in enumerate((first, second))]
    deviations = [column - column.mean() for column in columns]
    spread = float(np.sqrt(np.prod([np.square(each).sum() for each in deviations])))
    return float(np.clip(deviations[0] @ deviations[1] / spread, -1, 1)) if spread else None


def _answer(verdict: Verdict) -> Label | None:
    return verdict.label if verdict.status == "ok" else None


def _correlation(
    pair: tuple[str, str], by_task: Mapping[str, Mapping[str, tuple[Value, Label, Label]]], settings: Settings
) -> CriteriaCorrelation | None:
    one, other = (by_task[name] for name in pair)
    tasks = [settings.of_task(name).task for name in pair]
    measure = measure_of(*tasks)
    if measure is None:
        return None
    items = [item for item in one if item in other]
    people, initial, best = (
        correlation([(one[item][place], other[item][place]) for item in items], *tasks) for place in range(3)
    )
    return CriteriaCorrelation(
        criteria=list(pair),
        measure=measure,
        n=len(items),
        people=_rounded(people),
        initial=_rounded(initial),
        best=_rounded(best),
    )


def _numbers(task: TaskSettings) -> Mapping[Label, float] | None:
    """Return numbers in the order of the labels, 1 for `positive`; None for labels without an order."""
    if task.kind == "ordinal":
        return {label: float(label) for label in task.values}
    if task.kind == "pairwise":
        return {label: _PREFERRED[label] for label in task.values}
    if len(task.values) != 2:
        return None
    high = task.values[-1] if task.positive is None else task.positive
    return {label: float(label == high) for label in task.values}


def _ranks(values: Sequence[Value], task: TaskSettings) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    from scipy.stats import rankdata  # takes half a second to import

    numbers = _numbers(task) or {}
    levels = [value if isinstance(value, float) else numbers[value] for value in values]
    return np.asarray(rankdata(levels), dtype=np.float64)


def _kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    firsts, seconds = ([pair[place] for pair in pairs] for place in range(2))
    n, labels = len(pairs), {label for pair in pairs for label in pair}
    by_chance = sum(firsts.count(label) * seconds.count(label) for label in labels) / n**2
    same = sum(one == other for one, other in pairs) / n
    return (same - by_chance) / (1 - by_chance) if by_chance < 1 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
