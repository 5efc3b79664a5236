"""Shares of labels, corrected for the judge's errors."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from blpo.metrics import shares as module
from blpo.metrics.shares import Outcome, Shares, corrected_shares
from state.sample import Label

Labelled = dict[tuple[Label, Outcome], int]
counts = st.integers(0, 60)


def corrected(found: Shares) -> list[float]:
    assert found.undefined is None
    return [share.corrected or 0.0 for share in found.shares]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 200)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=5), st.data())
def test_a_perfect_judge_needs_no_correction(labelled: list[int], data: st.DataObject) -> None:
    labels = range(len(labelled))
    judged = data.draw(st.lists(counts, min_size=len(labelled), max_size=len(labelled)).filter(any))
    found = corrected_shares({(i, i): n for i, n in enumerate(labelled)}, dict(enumerate(judged)), labels)
    assert corrected(found) == pytest.approx([n / sum(judged) for n in judged], abs=1e-9)
    for share in found.shares:
        assert share.interval is not None
        assert 0 <= share.interval[0] <= (share.corrected or 0) + 1e-12 <= share.interval[1] + 2e-12 <= 1 + 3e-12


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.integers(0, 99))
def test_two_labels_give_rogan_and_gladen(hit: int, miss: int, alarm: int, right: int, positive: int) -> None:
    labelled: Labelled = {("yes", "yes"): hit, ("yes", "no"): miss, ("no", "yes"): alarm, ("no", "no"): right}
    found = corrected_shares(labelled, {"yes": positive, "no": 100 - positive}, ("yes", "no"))
    sensitivity, specificity = hit / (hit + miss), right / (alarm + right)
    youden = sensitivity + specificity - 1
    if youden <= 1e-6:
        assert found.undefined is not None
        assert "no better than chance" in found.undefined
        assert {share.corrected for share in found.shares} == {None}
    else:
        expected = min(1.0, max(0.0, (positive / 100 + specificity - 1) / youden))
        assert corrected(found) == pytest.approx([expected, 1 - expected], abs=1e-7)


@given(st.lists(st.lists(counts, min_size=4, max_size=4), min_size=3, max_size=3))
def test_where_all_are_labelled_the_shares_are_those_of_people(rows: list[list[int]]) -> None:
    """Refusals, the fourth outcome, included."""
    outcomes = [0, 1, 2, None]
    labelled: Labelled = {(i, outcomes[j]): n for i, row in enumerate(rows) for j, n in enumerate(row)}
    judged: Counter[Outcome] = Counter()
    for (_, outcome), n in labelled.items():
        judged[outcome] += n
    found = corrected_shares(labelled, judged, range(3))
    if found.undefined is None:
        people = [sum(row) / sum(judged.values()) for row in rows]
        assert corrected(found) == pytest.approx(people, abs=1e-5)
        assert sum(corrected(found)) == pytest.approx(1)


def simulated(rates: NDArray[np.float64], true: list[float], labelled: int, repeats: int) -> tuple[float, float]:
    """The share of intervals that hold the true share, and the mean error, over all labels and repeats."""
    generator = np.random.default_rng(0)
    held, errors = [], []
    for repeat in range(repeats):
        sample = [generator.multinomial(labelled, row) for row in rates]
        judged = generator.multinomial(2000, np.array(true) @ rates)
        table: Labelled = {(i, j): int(n) for i, row in enumerate(sample) for j, n in enumerate(row)}
        found = corrected_shares(table, dict(enumerate(judged.tolist())), range(len(true)), seed=repeat)
        for share, truth in zip(found.shares, true, strict=True):
            low, high = share.interval or (1.0, 0.0)
            held.append(low <= truth <= high)
            errors.append((share.corrected or 0.0) - truth)
    return float(np.mean(held)), float(np.mean(np.abs(np.reshape(errors, (repeats, -1)).mean(0))))


def test_the_true_share_is_found_and_19_of_20_intervals_hold_it() -> None:
    """300 repeats: a coverage of 0.95 is seen between 0.91 and 0.98."""
    coverage, bias = simulated(np.array([[0.9, 0.1], [0.2, 0.8]]), [0.8, 0.2], labelled=50, repeats=300)
    assert 0.91 <= coverage <= 0.99
    assert bias < 0.01


def test_three_labels_are_told_apart_too() -> None:
    rates = np.array([[0.8, 0.15, 0.05], [0.15, 0.7, 0.15], [0.05, 0.2, 0.75]])
    coverage, bias = simulated(rates, [0.5, 0.3, 0.2], labelled=60, repeats=100)
    assert 0.9 <= coverage <= 1
    assert bias < 0.02


def test_a_refusing_judge_does_not_hide_what_it_refuses() -> None:
    labelled: Labelled = {("safe", "safe"): 95, ("safe", None): 5, ("unsafe", "unsafe"): 50, ("unsafe", None): 50}
    found = corrected_shares(labelled, {"safe": 855, "unsafe": 50, None: 95}, ("safe", "unsafe"))
    assert [share.judged for share in found.shares] == pytest.approx([855 / 905, 50 / 905])
    assert corrected(found) == pytest.approx([0.9, 0.1], abs=1e-6)


@pytest.mark.parametrize(
    ("labelled", "judged", "why"),
    [
        ({}, {0: 1}, "no sample is labelled"),
        ({(0, 0): 9}, {0: 1}, "all labelled samples are 0"),
        ({(0, 0): 9, (1, 1): 9}, {}, "nothing was judged"),
        ({(0, 0): 5, (0, 1): 5, (1, 0): 5, (1, 1): 5}, {0: 1}, "no better than chance"),
        ({(0, 0): 9, (1, 1): 9, (2, 1): 9}, {0: 5, 1: 5}, "don't tell all 3 labels apart"),
    ],
)
def test_what_can_not_be_corrected_is_said(labelled: Labelled, judged: dict[Outcome, int], why: str) -> None:
    found = corrected_shares(labelled, judged, range(3))
    assert found.undefined is not None
    assert why in found.undefined


def test_a_label_that_nobody_gave_is_taken_not_to_occur() -> None:
    found = corrected_shares({(1, 1): 9, (2, 2): 9}, {1: 5, 2: 5, 3: 0}, (1, 2, 3))
    assert found.absent == (3,)
    assert [share.corrected for share in found.shares] == pytest.approx([0.5, 0.5, 0.0])
