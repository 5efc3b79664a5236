"""The comparison over seeds and Holm's correction: against independent computations, and as properties."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import f1_score

from benchmarks.seed_tests import Setting, rejections
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


@settings(max_examples=30)
@given(st.lists(one_seed, min_size=1, max_size=3))
def test_the_difference_is_the_mean_over_seeds(seeds: list[list[tuple[str, int, int, int]]]) -> None:
    """Against scikit-learn, seed by seed."""
    expected = []
    for rows in seeds:
        _, human, first, second = zip(*rows, strict=True)
        before, after = (
            f1_score(human, answer, labels=sorted(set(human)), average="macro", zero_division=0.0)
            for answer in (first, second)
        )
        expected.append(after - before)
    comparison = compare_seeds([paired(rows) for rows in seeds], RATING, "macro_f1")
    assert comparison.difference == pytest.approx(np.mean(expected))
    assert comparison.samples == comparison.groups == len({row[0] for rows in seeds for row in rows})
    assert comparison.seeds == len(seeds)


@settings(max_examples=20)
@given(st.lists(one_seed, min_size=1, max_size=3))
def test_the_other_way_round_is_the_same_test(seeds: list[list[tuple[str, int, int, int]]]) -> None:
    there = compare_seeds([paired(rows) for rows in seeds], RATING, "kappa")
    back = compare_seeds([[PairedAnswer(s, h, b, a) for s, h, a, b in rows] for rows in seeds], RATING, "kappa")
    assert back.difference == pytest.approx(-there.difference)
    assert back.p_value == pytest.approx(there.p_value)
    assert back.interval == pytest.approx((-there.interval[1], -there.interval[0]))
    assert 0 < there.p_value <= 1
    assert there.interval[0] <= there.difference <= there.interval[1]


def answered(seed: int, samples: int = 60, groups: int | None = None, better: float = 0.2) -> list[PairedAnswer]:
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(samples):
        human, *others = (int(value) for value in generator.integers(1, 4, 3))
        first, second = (
            human if generator.random() < share else other
            for share, other in zip((0.5, 0.5 + better), others, strict=True)
        )
        rows.append(PairedAnswer(str(i), human, first, second, f"g{i * groups // samples}" if groups else None))
    return rows


@pytest.mark.parametrize("groups", [None, 15])
@pytest.mark.parametrize("seed", range(4))
def test_one_seed_agrees_with_the_test_of_a_run(seed: int, groups: int | None) -> None:
    rows = answered(seed, groups=groups)
    old, new = (
        [Verdict(row.sample, "ok", label) for row in rows for label in (row.first, row.second)][k::2] for k in (0, 1)
    )
    expected, interval = compare_prompts(
        old, new, [row.human for row in rows], RATING, "macro_f1", 0, [row.group for row in rows]
    )
    comparison = compare_seeds([rows], RATING, "macro_f1")
    assert comparison.p_value == pytest.approx(expected, abs=0.06)
    assert comparison.interval == pytest.approx(interval, abs=0.05)


def test_a_sample_in_all_seeds_counts_once() -> None:
    """Twenty runs with the same answers to the same samples are no more evidence than a single run."""
    rows = answered(3)
    once, often = compare_seeds([rows], RATING, "macro_f1"), compare_seeds([rows] * 20, RATING, "macro_f1")
    assert often.p_value == pytest.approx(once.p_value)
    assert often.interval == pytest.approx(once.interval)


def test_a_group_counts_once() -> None:
    """Samples of a group with the same answers are no more evidence than a single sample."""
    single = answered(5)
    seven = [
        PairedAnswer(f"{row.sample}/{i}", row.human, row.first, row.second, row.sample)
        for row in single
        for i in range(7)
    ]
    once, often = (compare_seeds([rows] * 3, RATING, "accuracy") for rows in (single, seven))
    assert often.p_value == pytest.approx(once.p_value, abs=0.01)
    assert (often.samples, often.groups) == (420, 60)


def test_groups_that_all_change_alike_are_a_sign_test() -> None:
    rows = [PairedAnswer(f"{group}{i}", 2, 1, 2, group) for group in "abc" for i in range(7)]
    for seeds in ([rows], [rows] * 20):
        assert compare_seeds(seeds, RATING, "accuracy").p_value == 0.25


def test_few_groups_that_vary_more_than_the_seeds_have_few_degrees_of_freedom() -> None:
    """Three of six groups change under a seed, and one of the three changes under both seeds."""

    def rows(changed: set[int]) -> list[PairedAnswer]:
        return [PairedAnswer(f"{g}-{i}", 1, 2 if g in changed else 1, 1, str(g)) for g in range(6) for i in range(6)]

    test = compare_seeds([rows({0, 1, 2}), rows({2, 3, 4})], TaskSettings(kind="ordinal", min=1, max=2), "accuracy")
    error = (test.interval[1] - test.difference) / t.ppf(0.975, 5)
    assert test.p_value == pytest.approx(2 * t.sf(test.difference / error, 5))
    assert test.p_value > 0.001


def test_runs_that_vary_widen_the_interval() -> None:
    """The same mean difference with a spread between the runs is less certain."""
    better, worse = answered(1, 400, better=0.4), answered(1, 400, better=0.0)
    level = compare_seeds([answered(1, 400)] * 6, RATING, "accuracy")
    spread = compare_seeds([better, worse] * 3, RATING, "accuracy")
    assert spread.interval[1] - spread.interval[0] > 1.5 * (level.interval[1] - level.interval[0])


def test_a_failure_counts_as_wrong() -> None:
    """As the label farthest from the human label, so that no metric prefers a failure to a wrong answer."""
    rows = answered(2)
    failed = [PairedAnswer(r.sample, r.human, r.first, None if r.human != 3 else r.second) for r in rows]
    farthest = {1: 3, 2: 1}
    wrong = [PairedAnswer(r.sample, r.human, r.first, farthest.get(int(r.human), r.second)) for r in rows]
    assert compare_seeds([failed], RATING, "quadratic_kappa") == compare_seeds([wrong], RATING, "quadratic_kappa")


@pytest.mark.parametrize(("splits", "seeds", "noise"), [("fixed", 5, 0.05), ("fixed", 10, 0.0), ("redraw", 10, 0.05)])
def test_without_a_difference_few_draws_are_rejected(splits: str, seeds: int, noise: float) -> None:
    """Short form of `benchmarks.seed_tests`: at most .05 of 200 draws, and three standard errors."""
    rejected, held = rejections(Setting(seeds, noise, splits, 42, 1, 0.0), 200)
    assert rejected <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5
    assert held == pytest.approx(1 - rejected)


def test_a_difference_is_found_in_groups_too() -> None:
    rejected, _ = rejections(Setting(10, 0.02, "redraw", 240, 2, 0.12), 20)
    assert rejected >= 0.8


def test_no_difference_and_no_samples() -> None:
    same = [PairedAnswer("a", 1, 2, 2)]
    for seeds in ([same, []], [same], []):
        comparison = compare_seeds(seeds, RATING, "accuracy")
        assert (comparison.p_value, comparison.interval) == (1.0, (0.0, 0.0))


def test_labels_that_are_not_the_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels \['7'\] are not the task's: 1, 2, 3"):
        compare_seeds([[PairedAnswer("a", 1, 2, 7)]], RATING, "kappa")
