"""Gains of a prompt and their standard errors, against leave-one-out by the measuring function itself."""

from math import sqrt
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.metrics.agreement import metrics, value
from blpo.metrics.gain import paired_gain
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Verdict

RATING = TaskSettings()
ANSWERS = st.one_of(st.integers(1, 5), st.none())
ROWS = st.lists(st.tuples(st.integers(1, 5), ANSWERS, ANSWERS), min_size=2, max_size=12)


def verdicts(answers: list[Label | None]) -> list[Verdict]:
    return [Verdict(str(i), "refused" if label is None else "ok", label) for i, label in enumerate(answers)]


@settings(max_examples=30)
@given(ROWS, st.sampled_from(["accuracy", "macro_f1", "quadratic_kappa"]))
def test_a_gain_is_a_difference_with_its_jackknife_error(
    rows: list[tuple[int, int | None, int | None]], metric: str
) -> None:
    samples = [Sample(str(i), (), human) for i, (human, _, _) in enumerate(rows)]
    before, after = (verdicts([row[side] for row in rows]) for side in (1, 2))

    def difference(places: list[int]) -> float:
        labels = [samples[i].label for i in places]
        sides = [metrics([side[i] for i in places], labels, RATING, metric) for side in (before, after)]
        return value(sides[1], metric) - value(sides[0], metric)

    every = list(range(len(rows)))
    without = [difference([i for i in every if i != left]) for left in every]
    noise = sqrt((len(rows) - 1) / len(rows) * sum((each - mean(without)) ** 2 for each in without))
    gain = paired_gain(before, after, samples, RATING, metric)
    assert gain is not None
    assert gain.difference == pytest.approx(difference(every), abs=1e-9)
    assert gain.noise == pytest.approx(noise, abs=1e-9)


def test_samples_of_a_group_are_left_out_together() -> None:
    samples = [Sample(str(i), (), 1 + i % 5, group=f"g{i // 2}") for i in range(10)]
    before, after = verdicts([3] * 10), verdicts([1 + i % 5 for i in range(10)])
    alone = paired_gain(before, after, [Sample(s.id, (), s.label) for s in samples], RATING, "accuracy")
    grouped = paired_gain(before, after, samples, RATING, "accuracy")
    assert alone is not None and grouped is not None
    assert (alone.difference, alone.is_clear, grouped.is_clear) == (grouped.difference, True, True)
    assert alone.noise != grouped.noise


def test_the_same_answers_gain_nothing_and_errors_are_left_out() -> None:
    samples = [Sample(str(i), (), 1) for i in range(3)]
    same = paired_gain(verdicts([1, 2, 3]), verdicts([1, 2, 3]), samples, RATING, "accuracy")
    assert same is not None and (same.difference, same.noise, same.is_clear) == (0.0, 0.0, False)
    errors = [Verdict(str(i), "error", None) for i in range(3)]
    assert paired_gain(verdicts([1, 2, 3]), errors, samples, RATING, "accuracy") is None
