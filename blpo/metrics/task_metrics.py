"""Metrics of several tasks under one prompt: the mean over tasks of (value - chance) / (1 - chance).

The value of a task is that of its own metric, with failures as wrong, and chance the metric of uniform guessing. Groups
of samples may hold samples of several tasks, such as one image under several criteria.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from blpo.metrics.agreement import metrics
from blpo.metrics.answer_patterns import AnswerPatterns
from blpo.metrics.gain import Gain, differences, gain_of, paired_gain
from blpo.metrics.loss import score
from blpo.metrics.pairs import CountedAnswer, counted_answers
from blpo.metrics.readings import reading, strict_reading
from blpo.metrics.resampling import own_groups
from blpo.metrics.significance import compare_patterns, new_interval
from blpo.metrics.task_codes import TaskCodes, TaskLabel, above_chance
from state.metrics import Agreement, Metrics, TaskReading
from state.metrics_on_test import BeyondGuessing
from state.sample import Sample
from state.settings import ABOVE_CHANCE, Settings
from state.verdict import Verdict


def measured(verdicts: Sequence[Verdict], samples: Sequence[Sample], settings: Settings) -> Metrics:
    """Return the metrics of a prompt on `samples`, of a single task or of several tasks.

    The sequences list the same samples in the same order. Raises `ValueError` for a sample without a label.
    """
    if not settings.task_names:
        labels, ratings, groups = [s.label for s in samples], [s.rating for s in samples], [s.group for s in samples]
        return metrics(verdicts, labels, settings.task, settings.search.metric, ratings, groups)
    by_task: dict[str, TaskReading] = {}
    answered: list[float] = []
    for name, places in places_by_task(samples).items():
        own = settings.of_task(name)
        each = measured([verdicts[place] for place in places], [samples[place] for place in places], own)
        chance = each["guessing"]["uniform"] or 0.0
        metric, value = own.search.metric, strict_reading(each, own.search.metric)
        answered.append(above_chance(reading(each, metric) or 0.0, chance))
        by_task[name] = TaskReading(n=each["n"], coverage=each["coverage"], metric=metric, value=value, chance=chance)
    n = len(samples)
    return Metrics(
        n=n,
        coverage=sum(verdict.status == "ok" for verdict in verdicts) / n if n else 0.0,
        above_chance=fmean(answered) if answered else None,
        strict=Agreement(above_chance=fmean(map(task_value, by_task.values())) if by_task else None),
        by_task=by_task,
    )


def task_value(task: TaskReading) -> float:
    """Return the value of a task above chance; an undefined value counts as 0.0 of the task's metric."""
    return above_chance(task["value"] or 0.0, task["chance"])


def places_by_task(samples: Sequence[Sample]) -> dict[str, list[int]]:
    """Return the places of every task's samples, in the order of the samples."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        places[sample.task].append(place)
    return dict(places)


def gain_on(
    before: Sequence[Verdict], after: Sequence[Verdict], samples: Sequence[Sample], settings: Settings
) -> Gain | None:
    """Return the gain of the search metric on `samples`, as `paired_gain`; of a single task or of several tasks."""
    if not settings.task_names:
        return paired_gain(before, after, samples, settings.task, settings.search.metric)
    answers = _answers_by_task(before, after, samples, settings)
    if not answers:
        return None
    codes = TaskCodes.of(answers, settings)
    groups = list(dict.fromkeys(unit for rows in answers.values() for unit, _ in rows))
    whole, left_out = 0.0, np.zeros(len(groups))
    for (name, rows), block in zip(answers.items(), codes.blocks, strict=True):
        own, scale = settings.of_task(name), block.scale / len(answers)
        difference, by_unit = differences(rows, own.task, own.search.metric)
        whole += scale * difference
        left_out += scale * np.array([by_unit.get(group, difference) for group in groups])
    return gain_of(whole, left_out)


def fall_of_loss(
    before: Sequence[Verdict], after: Sequence[Verdict], samples: Sequence[Sample], settings: Settings
) -> float | None:
    """Return `score` on `samples`: of a single task, or the mean over tasks. None if no sample counts."""
    scores = []
    for name, places in places_by_task(samples).items():
        old, new = ([row[place] for place in places] for row in (before, after))
        scores.append(score(old, new, [samples[place].target for place in places], settings.of_task(name).task))
    counted = [each for each in scores if each is not None]
    return round(fmean(counted), 12) if counted else None


def compare_on_tasks(
    initial: Sequence[Verdict], best: Sequence[Verdict], samples: Sequence[Sample], settings: Settings
) -> tuple[float, tuple[float, float], BeyondGuessing]:
    """Return p-value, 95 % interval of the difference, and `above_chance` of the second prompt with its interval.

    As `compare_prompts` and `beyond_guessing`, over all tasks: a group's samples are swapped and drawn together.
    """
    seed, answers = settings.search.seed, _answers_by_task(initial, best, samples, settings)
    rows = _coded_rows(answers)
    if not rows:
        return 1.0, (0.0, 0.0), BeyondGuessing(metric="above_chance", value=None, ci95=[0.0, 0.0])
    patterns = _patterns(rows, TaskCodes.of(answers, settings))
    beyond = BeyondGuessing(
        metric="above_chance",
        value=patterns.value_or_nan(ABOVE_CHANCE),
        ci95=list(new_interval(patterns, ABOVE_CHANCE, seed)),
    )
    if all(old == new for _, (_, old, new) in rows):
        return 1.0, (0.0, 0.0), beyond
    p_value, interval = compare_patterns(patterns, ABOVE_CHANCE, seed)
    return p_value, interval, beyond


def interval_on_tasks(
    verdicts: Sequence[Verdict], samples: Sequence[Sample], settings: Settings
) -> tuple[float, float] | None:
    """Return the 95 % interval of a prompt's `above_chance`, as `metric_interval`; None for less than two groups."""
    answers = _answers_by_task(verdicts, verdicts, samples, settings)
    rows = _coded_rows(answers)
    if len({unit for unit, _ in rows}) < 2:
        return None
    return new_interval(_patterns(rows, TaskCodes.of(answers, settings)), ABOVE_CHANCE, settings.search.seed)


_CodedRow = tuple[str | int, tuple[TaskLabel, TaskLabel, TaskLabel]]
"""Group of a sample; human label, first answer, second answer, each with the task's name."""


def _coded_rows(answers: Mapping[str, Sequence[CountedAnswer]]) -> list[_CodedRow]:
    return [
        (unit, ((name, human), (name, old), (name, new)))
        for name, rows in answers.items()
        for unit, (human, old, new) in rows
    ]


def _patterns(rows: Sequence[_CodedRow], codes: TaskCodes) -> AnswerPatterns:
    return AnswerPatterns.of([triple for _, triple in rows], [unit for unit, _ in rows], codes)


def _answers_by_task(
    first: Sequence[Verdict], second: Sequence[Verdict], samples: Sequence[Sample], settings: Settings
) -> dict[str, list[CountedAnswer]]:
    """Return the answers that count, by task. A group of several tasks has one name in all of them."""
    units = own_groups([sample.group for sample in samples])
    answers: dict[str, list[CountedAnswer]] = {}
    for name, places in places_by_task(samples).items():
        own = settings.of_task(name)
        one, other = ([verdicts[place] for place in places] for verdicts in (first, second))
        labels, groups = [samples[place].label for place in places], [units[place] for place in places]
        answers[name] = list(counted_answers(groups, one, other, labels, own.task, own.search.metric))
    return {name: rows for name, rows in answers.items() if rows}
