"""Rates of probes: intervals, tests of a lean, and violations of a total order, by brute force and in simulation."""

from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from blpo.audit.all_probes import PROBES
from blpo.audit.changes import Change, probe_result
from blpo.audit.pair_probes import swap_result, transitivity_result
from blpo.metrics.probe_rates import ProbeRates, biased, order_violation, wilson_interval
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import OrderedVerdict, Verdict

Array = NDArray[Any]
RATINGS = TaskSettings()
SEEDS = 500


@st.composite
def tournaments(draw: st.DrawFn) -> list[list[float]]:
    size = draw(st.integers(2, 6))
    wins = [[0.0] * size for _ in range(size)]
    for i, j in combinations(range(size), 2):
        wins[i][j] = draw(st.sampled_from([0.0, 0.5, 1.0]))
        wins[j][i] = 1 - wins[i][j]
    return wins


@given(tournaments())
def test_the_violation_is_the_best_order_by_brute_force(wins: list[list[float]]) -> None:
    size = len(wins)
    costs = [
        sum(wins[order[later]][order[earlier]] for earlier, later in combinations(range(size), 2))
        for order in permutations(range(size))
    ]
    assert order_violation(wins) == pytest.approx(min(costs) / (size * (size - 1) / 2))


def test_known_violations_and_intervals() -> None:
    circle = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert order_violation(circle) == pytest.approx(1 / 3) and order_violation([[0.0]]) == 0.0
    assert wilson_interval(0, 0) is None
    assert wilson_interval(1, 10) == pytest.approx((0.01787, 0.40415), abs=1e-4)
    assert ProbeRates(0, 0, 0, 0).rate is None and ProbeRates(9, 6, 6, 0).p_value == pytest.approx(1 / 32)
    assert ProbeRates(9, 6, 0, 6).p_up == 1.0 and ProbeRates(9, 0, 0, 0).p_up == 1.0
    assert biased({"a": 0.001, "b": 0.03, "c": 0.9}) == {"a"}


def in_orders(first: Array, second: Array) -> list[Verdict]:
    """Return verdicts of pairs, where an entry is True if the answer is a."""
    labels = [["ab"[1 - int(value)] for value in values] for values in (first, second)]
    return [
        Verdict("", "ok", None, orders=(OrderedVerdict("ab", "ok", one), OrderedVerdict("ba", "ok", other)))
        for one, other in zip(*labels, strict=True)
    ]


def covered(rate_of: Callable[[np.random.Generator], tuple[float, float]], planted: float) -> float:
    """Return the share of seeds whose interval covers the planted rate."""
    intervals = [rate_of(np.random.default_rng(seed)) for seed in range(SEEDS)]
    return sum(low <= planted <= high for low, high in intervals) / SEEDS


def interval(result: object) -> tuple[float, float]:
    assert isinstance(result, dict)
    low, high = result["ci95"]
    return low, high


def test_intervals_cover_planted_biases() -> None:
    def lean(generator: np.random.Generator) -> tuple[float, float]:
        a_is_better, leans = generator.random(80) < 0.5, generator.random(80) < 0.3
        verdicts = in_orders(a_is_better | leans, a_is_better & ~leans)
        return interval(swap_result([Sample(str(i), (), None) for i in range(80)], verdicts))

    def counts(planted: float) -> Callable[[np.random.Generator], tuple[float, float]]:
        return lambda generator: wilson_interval(int((generator.random(120) < planted).sum()), 120) or (0, 0)

    def circles(generator: np.random.Generator) -> tuple[float, float]:
        rows = [
            ("group", 3, in_orders(*[np.array([True, not circle, True])] * 2))
            for circle in (generator.random(80) < 0.25).tolist()
        ]
        return interval(transitivity_result([(name, size, verdicts) for name, size, verdicts in rows]))

    for rate_of, planted in ((lean, 0.3), (counts(0.1), 0.1), (counts(0.2), 0.2), (circles, 0.25)):
        assert covered(rate_of, planted) >= 0.92


def test_an_unbiased_judge_is_rarely_called_biased() -> None:
    single, whole = np.zeros(6), 0
    for seed in range(SEEDS):
        shifts = np.random.default_rng(seed).choice([-1, 0, 1], (6, 60), p=[0.1, 0.8, 0.1])
        ups, downs = (shifts > 0).sum(axis=1).tolist(), (shifts < 0).sum(axis=1).tolist()
        rates = [ProbeRates(60, up + down, up, down) for up, down in zip(ups, downs, strict=True)]
        single += [rate.p_value < 0.05 for rate in rates]
        whole += bool(biased({str(place): rate.p_value for place, rate in enumerate(rates)}))
    assert single.max() / SEEDS <= 0.07 and whole / SEEDS <= 0.1


def test_changes_are_counted_by_side() -> None:
    sample = Sample("s", (), None)
    shifts = [(2, 2), (2, 4), (5, 4), (3, 4)]
    changes = [Change(sample, Verdict("", "ok", old), Verdict("", "ok", new)) for old, new in shifts]
    result = probe_result(PROBES["resize"], changes, 1, RATINGS)
    assert (result["n"], result["errors"], result["flips"], result["up"], result["down"]) == (4, 1, 3, 2, 1)
    assert [example["after"] for example in result["examples"]] == ["4", "4", "4"]
    worse = probe_result(PROBES["blur"], changes, 0, TaskSettings(higher_is="worse"))
    assert (worse["flips"], worse["up"], worse["down"]) == (1, 1, 2)
