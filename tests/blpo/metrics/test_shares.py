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

LabelCounts = dict[tuple[Label, Outcome], int]
counts = st.integers(0, 60)


def corrected(result: Shares) -> list[float]:
    assert result.undefined is None
    return [share.corrected or 0.0 for share in result.shares]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 200)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=5), st.data())
def test_a_perfect_judge_needs_no_correction(label_counts: list[int], data: st.DataObject) -> None:
    labels = range(len(label_counts))
    verdict_counts = data.draw(st.lists(counts, min_size=len(label_counts), max_size=len(label_counts)).filter(any))
    result = corrected_shares({(i, i): n for i, n in enumerate(label_counts)}, dict(enumerate(verdict_counts)), labels)
    assert corrected(result) == pytest.approx([n / sum(verdict_counts) for n in verdict_counts], abs=1e-9)
    for share in result.shares:
        assert share.interval is not None
        assert 0 <= share.interval[0] <= (share.corrected or 0) + 1e-12 <= share.interval[1] + 2e-12 <= 1 + 3e-12


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.integers(0, 99))
def test_two_labels_give_rogan_and_gladen(hit: int, miss: int, alarm: int, right: int, positive: int) -> None:
    label_counts: LabelCounts = {("yes", "yes"): hit, ("yes", "no"): miss, ("no", "yes"): alarm, ("no", "no"): right}
    result = corrected_shares(label_counts, {"yes": positive, "no": 100 - positive}, ("yes", "no"))
    sensitivity, specificity = hit / (hit + miss), right / (alarm + right)
    youden = sensitivity + specificity - 1
    if youden <= 1e-6:
        assert result.undefined is not None
        assert "no better than chance" in result.undefined
        assert {share.corrected for share in result.shares} == {None}
    else:
        expected = min(1.0, max(0.0, (positive / 100 + specificity - 1) / youden))
        assert corrected(result) == pytest.approx([expected, 1 - expected], abs=1e-7)


@given(st.lists(st.lists(counts, min_size=4, max_size=4), min_size=3, max_size=3))
def test_where_all_are_labelled_the_shares_are_those_of_people(rows: list[list[int]]) -> None:
    """Refusals, the fourth outcome, included."""
    outcomes = [0, 1, 2, None]
    label_counts: LabelCounts = {(i, outcomes[j]): n for i, row in enumerate(rows) for j, n in enumerate(row)}
    verdict_counts: Counter[Outcome] = Counter()
    for (_, outcome), n in label_counts.items():
        verdict_counts[outcome] += n
    result = corrected_shares(label_counts, verdict_counts, range(3))
    if result.undefined is None:
        people = [sum(row) / sum(verdict_counts.values()) for row in rows]
        assert corrected(result) == pytest.approx(people, abs=1e-5)
        assert sum(corrected(result)) == pytest.approx(1)


def simulated(
    rates: NDArray[np.float64], true: list[float], labelled_samples: int, repeats: int
) -> tuple[float, float]:
    """Return the share of intervals around the true share, and the mean error, over all labels and repeats."""
    generator = np.random.default_rng(0)
    covered, errors = [], []
    for repeat in range(repeats):
        sample = [generator.multinomial(labelled_samples, row) for row in rates]
        verdict_counts = generator.multinomial(2000, np.array(true) @ rates)
        table: LabelCounts = {(i, j): int(n) for i, row in enumerate(sample) for j, n in enumerate(row)}
        result = corrected_shares(table, dict(enumerate(verdict_counts.tolist())), range(len(true)), seed=repeat)
        for share, truth in zip(result.shares, true, strict=True):
            low, high = share.interval or (1.0, 0.0)
            covered.append(low <= truth <= high)
            errors.append((share.corrected or 0.0) - truth)
    return float(np.mean(covered)), float(np.mean(np.abs(np.reshape(errors, (repeats, -1)).mean(0))))


def test_the_true_share_is_found_and_19_of_20_intervals_hold_it() -> None:
    """With 300 repeats a coverage of 0.95 is observed between 0.91 and 0.98."""
    coverage, bias = simulated(np.array([[0.9, 0.1], [0.2, 0.8]]), [0.8, 0.2], labelled_samples=50, repeats=300)
    assert 0.91 <= coverage <= 0.99
    assert bias < 0.01


def test_three_labels_are_told_apart_too() -> None:
    rates = np.array([[0.8, 0.15, 0.05], [0.15, 0.7, 0.15], [0.05, 0.2, 0.75]])
    coverage, bias = simulated(rates, [0.5, 0.3, 0.2], labelled_samples=60, repeats=100)
    assert 0.9 <= coverage <= 1
    assert bias < 0.02


def test_a_refusing_judge_does_not_hide_what_it_refuses() -> None:
    label_counts: LabelCounts = {
        ("safe", "safe"): 95,
        ("safe", None): 5,
        ("unsafe", "unsafe"): 50,
        ("unsafe", None): 50,
    }
    result = corrected_shares(label_counts, {"safe": 855, "unsafe": 50, None: 95}, ("safe", "unsafe"))
    assert [share.judged for share in result.shares] == pytest.approx([855 / 905, 50 / 905])
    assert corrected(result) == pytest.approx([0.9, 0.1], abs=1e-6)


@pytest.mark.parametrize(
    ("label_counts", "verdict_counts", "reason"),
    [
        ({}, {0: 1}, "no sample is labelled"),
        ({(0, 0): 9}, {0: 1}, "all labelled samples are 0"),
        ({(0, 0): 9, (1, 1): 9}, {}, "nothing was judged"),
        ({(0, 0): 5, (0, 1): 5, (1, 0): 5, (1, 1): 5}, {0: 1}, "no better than chance"),
        ({(0, 0): 9, (1, 1): 9, (2, 1): 9}, {0: 5, 1: 5}, "don't tell all 3 labels apart"),
    ],
)
def test_what_can_not_be_corrected_is_said(
    label_counts: LabelCounts, verdict_counts: dict[Outcome, int], reason: str
) -> None:
    result = corrected_shares(label_counts, verdict_counts, range(3))
    assert result.undefined is not None
    assert reason in result.undefined


def test_a_label_that_nobody_gave_is_taken_not_to_occur() -> None:
    result = corrected_shares({(1, 1): 9, (2, 2): 9}, {1: 5, 2: 5, 3: 0}, (1, 2, 3))
    assert result.absent == (3,)
    assert [share.corrected for share in result.shares] == pytest.approx([0.5, 0.5, 0.0])


def test_groups_are_single_observations() -> None:
    """Groups of five equal samples: the estimate stays, and the interval is that of the groups."""
    once: LabelCounts = {("safe", "safe"): 18, ("safe", "unsafe"): 4, ("unsafe", "unsafe"): 15, ("unsafe", "safe"): 3}
    verdicts: dict[Outcome, int] = {"safe": 30, "unsafe": 10}
    five = {pair: 5 * n for pair, n in once.items()}
    label_groups = [{pair: 5} for pair, n in once.items() for _ in range(n)]
    more = {outcome: 5 * n for outcome, n in verdicts.items()}
    verdict_groups = [{outcome: 5} for outcome, n in verdicts.items() for _ in range(n)]

    def width(result: Shares) -> float:
        low, high = result.shares[0].interval or (0.0, 0.0)
        return high - low

    labels = ("safe", "unsafe")
    singles, blind = corrected_shares(once, verdicts, labels), corrected_shares(five, more, labels)
    grouped = corrected_shares(five, more, labels, 0, label_groups, verdict_groups)
    assert corrected(grouped) == pytest.approx(corrected(singles), abs=1e-9)
    assert width(grouped) == pytest.approx(width(singles), rel=0.25)
    assert width(blind) < 0.7 * width(grouped)
