"""References of a rater: for every sample of the rater, the aggregated ratings of all other raters."""

import random
from collections.abc import Iterator, Sequence
from statistics import fmean, median

from blpo.data.aggregation import as_label
from blpo.data.labels import nearest_rating
from blpo.metrics.rater_scorer import RaterAnswer
from state.sample import Label, Sample
from state.settings import Aggregate, TaskSettings


def rater_answers(samples: Sequence[Sample], rule: Aggregate, task: TaskSettings, seed: int) -> Iterator[RaterAnswer]:
    """Yield an answer for every rating of a sample with a rating of another person.

    The reference is the aggregate of the other ratings by `rule`. Ties are broken by the seed, the sample and the
    rater: always the same way for one rating, without a preference for a label.
    """
    for place, sample in enumerate(samples):
        for own in sample.ratings:
            others = [rating.value for rating in sample.ratings if rating.rater != own.rater]
            if others:
                generator = random.Random(f"{seed}/{sample.id}/{own.rater}/reference")
                reference, exact, is_tied = _reference(others, rule, task, generator)
                yield RaterAnswer(place, own.rater, as_label(own.value), own.value, reference, exact, is_tied)


def _reference(
    values: Sequence[Label | float], rule: Aggregate, task: TaskSettings, generator: random.Random
) -> tuple[Label, float | None, bool]:
    """Return the label, the mean or median before rounding (None for a majority), and True for a broken tie."""
    if rule == "majority":
        labels = [as_label(value) for value in values]
        most = max(map(labels.count, labels))
        tied = [label for label in task.values if labels.count(label) == most]
        return generator.choice(tied), None, len(tied) > 1
    numbers = [float(value) for value in values]
    exact = fmean(numbers) if rule == "mean" else median(numbers)
    if exact % 1 == 0.5:
        return int(exact - 0.5) + generator.randrange(2), exact, True
    return nearest_rating(exact), exact, False
