"""Metrics of guessing: against all possible guesses, counted one by one."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.metrics.agreement import agreement
from blpo.metrics.guessing import guessing
from blpo.metrics.readings import reading
from state.sample import Label
from state.settings import LABEL_METRICS, NOMINAL_METRICS, ORDINAL_METRICS, TaskSettings

RATING = TaskSettings(kind="ordinal", min=1, max=3)
METRICS = (*NOMINAL_METRICS, *ORDINAL_METRICS, *(f"{name}.2" for name in LABEL_METRICS))


def enumerated(human: Sequence[int], metric: str, chances: Sequence[float]) -> float | None:
    """Return the mean of the metric over all guesses with a defined value."""
    values, weights = [], []
    for guesses in itertools.product((1, 2, 3), repeat=len(human)):
        value = reading(agreement(guesses, human, RATING), metric)
        weight = float(np.prod(np.array([chances[guess - 1] for guess in guesses])))
        if value is not None and weight:
            values.append(value)
            weights.append(weight)
    return float(np.average(values, weights=weights)) if values else None


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4))
@pytest.mark.parametrize("metric", METRICS)
def test_guessing_is_the_mean_over_all_guesses(metric: str, human: list[int]) -> None:
    shares = [human.count(label) / len(human) for label in (1, 2, 3)]
    result = guessing(human, RATING, metric)
    assert result["uniform"] == (pytest.approx(enumerated(human, metric, [1 / 3] * 3)))
    assert result["shares"] == (pytest.approx(enumerated(human, metric, shares)))


@pytest.mark.parametrize("metric", ["macro_f1", "f1.yes"])
def test_large_sets_are_fast_and_near_the_limit(metric: str) -> None:
    task = TaskSettings(kind="categorical", labels=("no", "yes"))
    human: list[Label] = ["no", "yes"] * 10_000
    result = guessing(human, task, metric)
    assert result["uniform"] == pytest.approx(0.5, abs=1e-3)
    assert result["shares"] == pytest.approx(0.5, abs=1e-3)


def test_nothing_to_guess() -> None:
    assert guessing([], RATING, "macro_f1") == {"uniform": None, "shares": None}
    assert guessing([2, 2], RATING, "kappa") == {"uniform": 0.0, "shares": None}  # by shares all guesses are equal
    assert guessing([2, 2], RATING, "spearman") == {"uniform": None, "shares": None}
