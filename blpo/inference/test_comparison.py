"""Comparison of p_0 and the selected prompt on the test split, of a single task or of several tasks."""

from collections.abc import Sequence

from blpo.inference.rater_references import rater_answers
from blpo.metrics.agreement import metrics
from blpo.metrics.checklist import aggregate_result
from blpo.metrics.criteria_conflicts import conflicts_on
from blpo.metrics.criteria_correlations import correlations
from blpo.metrics.human_ceiling import human_ceiling
from blpo.metrics.pairs import VerdictPairs
from blpo.metrics.readings import strict_reading
from blpo.metrics.resampling import own_groups
from blpo.metrics.significance import beyond_guessing, compare_prompts
from blpo.metrics.slices import slices
from blpo.metrics.task_metrics import compare_on_tasks, measured, places_by_task
from state.criteria_metrics import CriteriaTest
from state.metrics_on_test import TaskTest, TestMetrics
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict


def compared_on_test(
    samples: Sequence[Sample], before: Sequence[Verdict], after: Sequence[Verdict], settings: Settings
) -> TestMetrics:
    """Compare the verdicts under p_0 and under the selected prompt on the test split, over one population."""
    pairs = VerdictPairs.of(before, after)
    compared = _tasks if settings.task_names else _single_task
    test = compared(samples, pairs, settings)
    initial, best = (conflicts_on(verdicts, samples, settings) for verdicts in (pairs.first, pairs.second))
    if initial is not None and best is not None:
        test["criteria"] = CriteriaTest(initial=initial, best=best)
    units = zip(own_groups([sample.group for sample in samples]), pairs.second, strict=True)
    counted = [unit for unit, verdict in units if verdict.status != "error"]
    if (number := len(set(counted))) < len(counted):
        test["groups"] = number
    return test


def _single_task(samples: Sequence[Sample], pairs: VerdictPairs, settings: Settings) -> TestMetrics:
    task, metric, seed = settings.task, settings.search.metric, settings.search.seed
    labels = [sample.label for sample in samples]
    ratings = [sample.rating for sample in samples]
    groups = [sample.group for sample in samples]
    p_value, interval = compare_prompts(pairs.first, pairs.second, labels, task, metric, seed, groups, ratings)
    test = TestMetrics(
        initial=metrics(pairs.first, labels, task, metric, ratings, groups),
        best=metrics(pairs.second, labels, task, metric, ratings, groups),
        p_value=p_value,
        difference_ci95=list(interval),
        left_out=pairs.left_out,
        beyond_guessing=beyond_guessing(pairs.second, labels, task, seed, groups),
    )
    if (raters := settings.data.raters) is not None:
        answers = list(rater_answers(samples, raters.rule(task), task, seed))
        test["human_ceiling"] = human_ceiling(answers, samples, (pairs.first, pairs.second), task, metric, seed)
    if by_slice := slices(samples, pairs.first, pairs.second, task, metric, seed):
        test["slices"] = by_slice
    return test


def _tasks(samples: Sequence[Sample], pairs: VerdictPairs, settings: Settings) -> TestMetrics:
    p_value, interval, beyond = compare_on_tasks(pairs.first, pairs.second, samples, settings)
    test = TestMetrics(
        initial=measured(pairs.first, samples, settings),
        best=measured(pairs.second, samples, settings),
        p_value=p_value,
        difference_ci95=list(interval),
        left_out=pairs.left_out,
        beyond_guessing=beyond,
        by_task={
            name: _task(
                [samples[place] for place in places],
                [pairs.first[place] for place in places],
                [pairs.second[place] for place in places],
                settings.of_task(name),
            )
            for name, places in places_by_task(samples).items()
        },
    )
    if settings.criteria_aggregate is not None:
        test["aggregate"] = aggregate_result(samples, pairs.first, pairs.second, settings)
    if records := correlations(samples, pairs.first, pairs.second, settings):
        test["correlations"] = records
    return test


def _task(
    samples: Sequence[Sample], before: Sequence[Verdict], after: Sequence[Verdict], settings: Settings
) -> TaskTest:
    whole, metric = compared_on_test(samples, before, after, settings), settings.search.metric
    best = whole["best"]
    test = TaskTest(
        n=best["n"],
        coverage=best["coverage"],
        metric=metric,
        initial=strict_reading(whole["initial"], metric),
        best=strict_reading(best, metric),
        chance=best["guessing"]["uniform"] or 0.0,
        p_value=whole["p_value"],
        difference_ci95=whole["difference_ci95"],
        beyond_guessing=whole["beyond_guessing"],
        strict=best["strict"],
    )
    if settings.task.positive is not None:
        test["positive"] = settings.task.positive
    return test
