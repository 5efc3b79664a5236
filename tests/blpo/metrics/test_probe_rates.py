"""Rates of probes: intervals, tests of a lean, and violations of a total order by brute force."""

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.audit.all_probes import PROBES
from blpo.audit.changes import Change, probe_result
from blpo.metrics.probe_rates import ProbeRates, biased, order_violation, wilson_interval
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict

pytestmark = pytest.mark.slow

RATINGS = TaskSettings()


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


def test_changes_are_counted_by_side() -> None:
    sample = Sample("s", (), None)
    shifts = [(2, 2), (2, 4), (5, 4), (3, 4)]
    changes = [Change(sample, Verdict("", "ok", old), Verdict("", "ok", new)) for old, new in shifts]
    result = probe_result(PROBES["resize"], changes, 1, RATINGS)
    assert (result["n"], result["errors"], result["flips"], result["up"], result["down"]) == (4, 1, 3, 2, 1)
    assert [example["after"] for example in result["examples"]] == ["4", "4", "4"]
    worse = probe_result(PROBES["blur"], changes, 0, TaskSettings(higher_is="worse"))
    assert (worse["flips"], worse["up"], worse["down"]) == (1, 1, 2)
