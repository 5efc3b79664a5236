"""The comparison over seeds and Holm's correction: against independent computations, and as properties."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from blpo.metrics.holm import holm
from blpo.metrics.seed_comparison import PairedAnswer, compare_seeds
from blpo.metrics.significance import compare_prompts
from state.settings import TaskSettings
from state.verdict import Verdict

RATING = TaskSettings(kind="ordinal", min=1, max=3)
p_values = st.lists(st.floats(0, 1), max_size=12)
answers = st.tuples(st.sampled_from("abcd"), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
one_seed = st.lists(answers, min_size=1, max_size=4, unique_by=lambda row: row[0])


def paired(rows: list[tuple[str, int, int, int]]) -> list[PairedAnswer]:
    return [PairedAnswer(*row) for row in rows]


@given(p_values)
def test_holm_lies_between_the_p_values_and_bonferroni(values: list[float]) -> None:
    adjusted = holm(values)
    for p, corrected in zip(values, adjusted, strict=True):
        assert p <= corrected <= min(1.0, len(values) * p) or corrected == p == 0
    in_order = sorted(zip(values, adjusted, strict=True))
    assert all(a <= b for (_, a), (_, b) in pairwise(in_order))


@given(p_values, st.randoms())
def test_holm_does_not_depend_on_the_order(values: list[float], random: "np.random.Generator") -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    adjusted = holm(values)
    assert holm([values[i] for i in order]) == [adjusted[i] for i in order]


def test_holm_on_a_known_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@settings(max_examples=15)
@given(st.lists(one_seed, min_size=1, max_size=3))
def test_few_samples_are_swapped_in_every_way(seeds: list[list[tuple[str, int, int, int]]]) -> None:
    """Against a plain enumeration with scikit-learn: the same sample is swapped in all seeds together."""
    ids = sorted({row[0] for rows in seeds for row in rows})

    def mean_difference(swapped: set[str]) -> float:
        total = 0.0
        for rows in seeds:
            human = [row[1] for row in rows]
            first, second = ([row[3 - i if row[0] in swapped else 2 + i] for row in rows] for i in (0, 1))
            classes = sorted(set(human))
            score = [
                f1_score(human, answer, labels=classes, average="macro", zero_division=0.0)
                for answer in (first, second)
            ]
            total += score[1] - score[0]
        return total / len(seeds)

    observed = mean_difference(set())
    outcomes = [
        mean_difference({i for i, out in zip(ids, way, strict=True) if out}) for way in product((0, 1), repeat=len(ids))
    ]
    expected = np.mean([abs(outcome) >= abs(observed) - 1e-12 for outcome in outcomes])
    comparison = compare_seeds([paired(rows) for rows in seeds], RATING, "macro_f1")
    assert comparison.difference == pytest.approx(observed)
    assert comparison.p_value == pytest.approx(expected)
    assert comparison.samples == len(ids)


@settings(max_examples=20)
@given(st.lists(one_seed, min_size=1, max_size=3))
def test_the_other_way_round_is_the_same_test(seeds: list[list[tuple[str, int, int, int]]]) -> None:
    there = compare_seeds([paired(rows) for rows in seeds], RATING, "kappa")
    back = compare_seeds([[PairedAnswer(s, h, b, a) for s, h, a, b in rows] for rows in seeds], RATING, "kappa")
    assert back.difference == pytest.approx(-there.difference)
    assert back.p_value == pytest.approx(there.p_value)
    assert 0 < there.p_value <= 1


def test_one_seed_agrees_with_the_test_of_a_run() -> None:
    generator = np.random.default_rng(0)
    human = generator.integers(1, 4, 60).tolist()
    first = [h if generator.random() < 0.5 else int(generator.integers(1, 4)) for h in human]
    second = [h if generator.random() < 0.7 else int(generator.integers(1, 4)) for h in human]
    rows = [PairedAnswer(str(i), h, a, b) for i, (h, a, b) in enumerate(zip(human, first, second, strict=True))]
    old, new = ([Verdict(str(i), "ok", label) for i, label in enumerate(side)] for side in (first, second))
    expected, _ = compare_prompts(old, new, human, RATING, "macro_f1", 0)
    assert compare_seeds([rows], RATING, "macro_f1").p_value == pytest.approx(expected, abs=0.02)


def test_a_sample_in_all_seeds_counts_once() -> None:
    """Twenty seeds of the same three samples are no more evidence than a single seed."""
    rows = [PairedAnswer(name, 2, 1, 2) for name in "abc"]
    assert compare_seeds([rows], RATING, "accuracy").p_value == 0.25
    assert compare_seeds([rows] * 20, RATING, "accuracy").p_value == 0.25


def test_a_group_counts_once() -> None:
    """Samples of three groups are no more evidence than three samples."""
    rows = [PairedAnswer(f"{group}{i}", 2, 1, 2, group) for group in "abc" for i in range(7)]
    assert compare_seeds([rows], RATING, "accuracy").p_value == 0.25
    assert compare_seeds([rows, rows[5:]], RATING, "accuracy").p_value == 0.25


def test_groups_agree_with_the_test_of_a_run() -> None:
    generator = np.random.default_rng(1)
    human = generator.integers(1, 4, 60).tolist()
    first = [h if generator.random() < 0.4 else int(generator.integers(1, 4)) for h in human]
    second = [h if generator.random() < 0.7 else int(generator.integers(1, 4)) for h in human]
    groups = [f"g{i // 4}" for i in range(60)]
    rows = [PairedAnswer(str(i), *row) for i, row in enumerate(zip(human, first, second, groups, strict=True))]
    old, new = ([Verdict(str(i), "ok", label) for i, label in enumerate(side)] for side in (first, second))
    expected, _ = compare_prompts(old, new, human, RATING, "macro_f1", 0, groups)
    assert compare_seeds([rows], RATING, "macro_f1").p_value == pytest.approx(expected, abs=0.02)


def test_no_difference_and_no_samples() -> None:
    same = [PairedAnswer("a", 1, 2, 2)]
    assert compare_seeds([same, []], RATING, "accuracy").p_value == 1.0
    assert compare_seeds([], RATING, "accuracy").p_value == 1.0


def test_labels_that_are_not_the_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels \['7'\] are not the task's: 1, 2, 3"):
        compare_seeds([[PairedAnswer("a", 1, 2, 7)]], RATING, "kappa")
