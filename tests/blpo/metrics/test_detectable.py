"""The difference that a test split can show: known cases, and against simulated tests."""

import random

import pytest

from blpo.metrics.detectable import LEAST_GROUPS, detectable_difference
from blpo.metrics.significance import compare_prompts
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict

BINARY = TaskSettings(kind="categorical", labels=("no", "yes"))


def test_known_cases() -> None:
    assert detectable_difference([None] * 100) == pytest.approx(1.984 * 0.05, abs=1e-3)
    assert detectable_difference([f"g{i % 13}" for i in range(70)]) == pytest.approx(0.23, abs=0.005)
    assert detectable_difference(["one image"] * 70) is None
    assert detectable_difference([]) is None
    assert detectable_difference([None] * (LEAST_GROUPS - 1)) is None


def test_fewer_groups_than_the_least_reject_nothing() -> None:
    def p_value(groups: int) -> float:
        old, new = ([Verdict("", "ok", label)] * groups for label in ("no", "yes"))
        return compare_prompts(old, new, ["yes"] * groups, BINARY, "accuracy", 0)[0]

    assert p_value(LEAST_GROUPS - 1) > 0.05 > p_value(LEAST_GROUPS)


def found(groups: int, size: int, difference: float, seed: int) -> bool:
    """Return True if the test finds a true difference: a quarter of the answers differs, half of them by group."""
    generator = random.Random(seed)
    answers: list[tuple[Label, Label]] = []
    names = []

    def change() -> tuple[Label, Label]:
        if generator.random() >= 0.25:
            return "yes", "yes"
        return ("no", "yes") if generator.random() < 0.5 + 2 * difference else ("yes", "no")

    for group in range(groups):
        common = change()
        for _ in range(size):
            answers.append(common if generator.random() < 0.5**0.5 else change())
            names.append(f"g{group}")
    old, new = ([Verdict("", "ok", pair[side]) for pair in answers] for side in (0, 1))
    return compare_prompts(old, new, ["yes"] * len(answers), BINARY, "accuracy", seed, names)[0] < 0.05


@pytest.mark.parametrize(("groups", "size"), [(80, 1), (20, 4), (40, 3)])
def test_about_half_of_the_tests_find_the_difference(groups: int, size: int) -> None:
    difference = detectable_difference([f"g{i // size}" for i in range(groups * size)])
    assert difference is not None
    hits = sum(found(groups, size, difference, seed) for seed in range(100)) / 100
    assert 0.3 <= hits <= 0.75
    misses = sum(found(groups, size, difference / 3, seed) for seed in range(60)) / 60
    assert misses < 0.3
