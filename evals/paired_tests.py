"""Paired tests of two rows, over the seeds with both results; for several tasks also by task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.metrics.pairwise import answer_pairs
from blpo.metrics.seed_comparison import PairedAnswer, SeedsComparison, compare_seeds, compare_seeds_on_tasks
from blpo.runs.verdict_rows import VerdictRow
from evals.outcomes import Outcome
from state.settings import Settings

YARDSTICK = "blpo"
"""Method that is compared with each other method."""

_Answers = Mapping[str, VerdictRow]
"""Verdicts of the test by sample."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Test of a yardstick against a row, paired by seed and sample, over the seeds with both results.

    Seeds vary and samples vary: see `blpo.metrics.seed_comparison`.
    """

    difference: float
    """Mean over seeds of the yardstick's metric minus the metric of the row; the yardstick is better above 0."""
    interval: tuple[float, float]
    """95 % interval of the difference, over seeds and samples."""
    p_value: float
    p_holm: float
    """p-value corrected over the tests of a table, by Holm's method."""
    seeds: int
    samples: int
    groups: int
    """Different groups of samples; a sample without a group is a group of its own."""
    left_out: int
    """Pairs of verdicts left out, because a verdict has the status `error`."""


def paired_tests(group: Sequence[Outcome], yardstick: Sequence[Outcome]) -> dict[str, PairedTest]:
    """Return the tests of `yardstick` against `group` by task, and that of all tasks together under "".

    Empty if no seed has results of both.
    """
    by_seed = {outcome.cell.seed: outcome for outcome in yardstick if outcome.result.is_done}
    both = [(each, by_seed[each.cell.seed]) for each in group if each.result.is_done and each.cell.seed in by_seed]
    if not both:
        return {}
    whole = both[0][1].cell.settings  # names all tasks
    answers = [(own.answers(), best.answers()) for own, best in both]
    own_task = both[0][0].cell.settings if not whole.task_names else whole
    tests = {"": _test(answers, own_task)}
    for name in whole.task_names:
        parts = [(_of_task(own, name), _of_task(best, name)) for own, best in answers]
        tests[name] = _test(parts, whole.of_task(name))
    return tests


def _of_task(rows: _Answers, name: str) -> _Answers:
    return {sample: row for sample, row in rows.items() if _task(sample) == name}


def _task(sample: str) -> str:
    """Return the task in the id of a sample of several tasks."""
    return sample.partition("/")[0]


def _test(answers: Sequence[tuple[_Answers, _Answers]], settings: Settings) -> PairedTest:
    pairs = [paired_answers(own, best, settings) for own, best in answers]
    compared = _compared(pairs, settings)
    return PairedTest(
        difference=compared.difference,
        interval=compared.interval,
        p_value=compared.p_value,
        p_holm=compared.p_value,
        seeds=compared.seeds,
        samples=compared.samples,
        groups=compared.groups,
        left_out=sum(
            len(own) - len({row.sample for row in rows}) for (own, _), rows in zip(answers, pairs, strict=True)
        ),
    )


def _compared(pairs: Sequence[Sequence[PairedAnswer]], settings: Settings) -> SeedsComparison:
    if settings.task_names:
        return compare_seeds_on_tasks(pairs, settings)
    return compare_seeds(pairs, settings.task, settings.search.metric)


def paired_answers(row_answers: _Answers, yardstick: _Answers, settings: Settings) -> list[PairedAnswer]:
    """Pair the answers; a failure counts as wrong, and an `error` in either leaves the pair out.

    A sample that is a pair has an answer for every order, or one answer under a metric of pairs.
    """
    rows = []
    for name, row in row_answers.items():
        if name not in yardstick or "error" in (row.status, yardstick[name].status):
            continue
        task = _task(name) if settings.task_names else ""
        metric = settings.of_task(task).search.metric
        for first, second in answer_pairs(row.in_verdict, yardstick[name].in_verdict, metric):
            rows.append(PairedAnswer(name, row.label, first.label, second.label, row.group, task))
    return rows
