"""Drift of two judgings against counts by hand, and gates on drift."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import accuracy_score

from blpo.metrics.drift import drift_of
from blpo.metrics.drift_gates import divide_gates
from state.errors import ConfigError
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict

TASK = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
answers = st.sampled_from(["safe", "unsafe", "refused", "error"])
rows = st.lists(st.tuples(answers, answers, st.sampled_from(["safe", "unsafe", None])), max_size=30)


def verdict(answer: str) -> Verdict:
    if answer == "refused" or answer == "error":
        return Verdict("s", answer, None)  # type: ignore[arg-type] # one of two statuses
    return Verdict("s", "ok", answer)


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided exact p-value by summing the probabilities of all outcomes that are no likelier."""
    n = gained + lost
    mass = [binom.pmf(k, n, 0.5) for k in range(n + 1)]
    return min(1.0, sum(p for p in mass if p <= mass[gained] * (1 + 1e-7)))


@settings(max_examples=30)
@given(rows)
def test_flips_and_the_test_are_those_of_a_count_by_hand(rows: list[tuple[str, str, Label | None]]) -> None:
    old, new, labels = ([row[place] for row in rows] for place in range(3))
    drift = drift_of([verdict(str(a)) for a in old], [verdict(str(a)) for a in new], labels, TASK)
    usable = [row for row in rows if "error" not in row[:2]]
    assert drift.samples == len(usable)
    changed = [tuple(None if a == "refused" else a for a in row[:2]) for row in usable if row[0] != row[1]]
    assert drift.flips == Counter(changed)
    if usable:
        low, high = drift.interval or (2.0, -1.0)
        assert low - 1e-12 <= (drift.share or 0.0) <= high + 1e-12
    labelled = [row for row in usable if row[2] is not None]
    assert (drift.agreement is None) == (not labelled)
    if drift.agreement is not None:
        people = [row[2] for row in labelled]
        assert drift.agreement.before == pytest.approx(accuracy_score(people, [row[0] for row in labelled]))
        assert drift.agreement.after == pytest.approx(accuracy_score(people, [row[1] for row in labelled]))
        gained = sum(row[0] != row[2] == row[1] for row in labelled)
        lost = sum(row[0] == row[2] != row[1] for row in labelled)
        assert drift.agreement.p_value == pytest.approx(mcnemar(gained, lost))


def test_gates_on_drift_stand_among_other_gates() -> None:
    drift_gates, others = divide_gates(["drift:flips<=0.5, accuracy>=0.8", "drift: difference >= -0.1,drift:flips<.1"])
    assert list(map(str, drift_gates)) == ["drift:flips<=0.5", "drift:difference>=-0.1", "drift:flips<0.1"]
    assert [text.strip() for text in others] == ["accuracy>=0.8"]
    drift = drift_of([verdict("safe")] * 10, [verdict("safe")] * 8 + [verdict("unsafe")] * 2, ["safe"] * 10, TASK)
    assert [gate.is_kept(drift) for gate in drift_gates] == [True, False, False]
    nothing = drift_of([], [], [], TASK)
    assert not any(gate.is_kept(nothing) for gate in drift_gates)
    assert drift_gates[1].reason_undefined(nothing) == "no sample of the baseline is among the inputs"


@pytest.mark.parametrize("text", ["drift:flip<=0.1", "accuracy>=0.8, drift:f1>0"])
def test_an_unknown_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="known are flips, p_value, difference"):
        divide_gates([text])
