"""Votes and panels at equal judge calls, on simulated judges of known accuracy."""

import pytest
from scipy.stats import binom

from evals.panels import Jury, rows, table


def test_the_expected_accuracy_is_that_of_the_binomial_distribution() -> None:
    assert Jury("five", (0.7,), votes=5).expected == pytest.approx(binom.sf(2, 5, 0.7))
    assert Jury("unequal", (0.8, 0.6, 0.6)).expected == pytest.approx(0.744)
    assert Jury("two", (0.9, 0.5)).expected == pytest.approx(0.7)  # 0.45, and half of 0.5


async def test_votes_and_panels_are_as_right_as_expected_for_the_same_calls() -> None:
    juries = (
        Jury("one call", (0.7,)),
        Jury("five votes", (0.7,), votes=5),
        Jury("equal judges", (0.7, 0.7, 0.7)),
        Jury("weighted", (0.9, 0.55, 0.55), rule="weighted"),
    )
    one, five, panel, weighted = found = await rows(300, 1, juries)
    assert [row.questions for row in found] == [300, 60, 100, 100] and {row.calls for row in found} == {300}
    for row in (one, five, panel):
        assert abs(row.accuracy - row.jury.expected) < 3 * row.noise
    assert abs(weighted.accuracy - 0.9) < 3 * weighted.noise  # the majority would have .765
    assert five.accuracy > one.accuracy and "Five votes" in five.sentence and not one.sentence
    assert any("| five votes | 0.7 | 300 | 60 |" in line for line in table(found))
