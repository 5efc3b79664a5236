"""Paired tests between prompted and trained judges: rows of a dataset against each other, for the preset mt-rl."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from blpo.metrics.holm import holm
from evals.outcomes import Outcome
from evals.paired_tests import PairedTest, paired_tests

Place = tuple[str, str, str, str]
"""Dataset, judge, varied setting and method of a row."""

Kind = tuple[str, bool]
"""Kind of a row: the method, and True for a trained judge."""
_OFF_THE_SHELF, _PROMPTED, _TRAINED, _BOTH = ("none", False), ("blpo", False), ("none", True), ("blpo", True)
KINDS: Mapping[Kind, str] = {
    _OFF_THE_SHELF: "off-the-shelf",
    _PROMPTED: "BLPO prompt",
    _TRAINED: "trained",
    _BOTH: "trained + BLPO",
}
"""Names of the kinds."""
_COMPARED: Mapping[Kind, tuple[Kind, ...]] = {
    _PROMPTED: (_OFF_THE_SHELF,),
    _TRAINED: (_OFF_THE_SHELF, _PROMPTED),
    _BOTH: (_OFF_THE_SHELF, _TRAINED),
}
"""Kinds that a row is compared with."""


@dataclass(frozen=True, slots=True)
class JudgeComparison:
    """Tests of a row against another row of the dataset, over the same seeds and test samples.

    The differences are the row's metric minus the other's; the row is better above 0.
    """

    method: str
    """Method of the other row."""
    judge: str
    """Judge of the other row."""
    test: PairedTest
    """Test of all samples; of several tasks by the mean above chance. Holm's correction is over a dataset."""
    by_task: Mapping[str, PairedTest]
    """Tests of several tasks, each by its own metric. Holm's correction is over all tasks of a dataset."""


def comparisons_of(
    place: Place, groups: Mapping[Place, Sequence[Outcome]], trained: Collection[str]
) -> tuple[JudgeComparison, ...]:
    """Return the comparisons of a row, in the order of `groups`; none without trained judges.

    `trained` are the names of trained judges. A prompted judge is compared with itself under another prompt, and with
    every trained judge.
    """
    if not trained:
        return ()
    tests = {other: paired_tests(groups[other], groups[place]) for other in groups if _compares(place, other, trained)}
    return tuple(_comparison(other, found) for other, found in tests.items() if found)


def corrected_comparisons(rows: Sequence[tuple[JudgeComparison, ...]]) -> list[tuple[JudgeComparison, ...]]:
    """Correct the p-values over all comparisons of a dataset, and over their tasks, by Holm's method."""
    comparisons = [each for row in rows for each in row]
    whole = iter(holm([each.test.p_value for each in comparisons]))
    tasks = iter(holm([test.p_value for each in comparisons for test in each.by_task.values()]))
    return [
        tuple(
            replace(
                each,
                test=replace(each.test, p_holm=next(whole)),
                by_task={name: replace(test, p_holm=next(tasks)) for name, test in each.by_task.items()},
            )
            for each in row
        )
        for row in rows
    ]


def _compares(place: Place, other: Place, trained: Collection[str]) -> bool:
    (dataset, judge, varied, method), (other_dataset, other_judge, other_varied, other_method) = place, other
    if (dataset, varied) != (other_dataset, other_varied):
        return False
    own, against = (method, judge in trained), (other_method, other_judge in trained)
    is_other_kind_of_judge = own[1] != against[1]
    return against in _COMPARED.get(own, ()) and (is_other_kind_of_judge or judge == other_judge)


def _comparison(other: Place, tests: Mapping[str, PairedTest]) -> JudgeComparison:
    _, judge, _, method = other
    return JudgeComparison(method, judge, tests[""], {name: test for name, test in tests.items() if name})
