"""Stopping rules: the reason to stop for a state."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.stopping import reason_to_stop, rounds_without_gain
from state.loops import OuterState, RoundRecord
from state.round_result import GainResult
from state.settings import SearchSettings


def record(value: float) -> RoundRecord:
    agreement: Any = {"macro_f1": value}
    measured: Any = {**agreement, "strict": agreement, "n": 1, "coverage": 1.0}
    return RoundRecord(
        round=0,
        judge_prompt_sha256="",
        i2t_prompt_sha256="",
        validation=measured,
        errors=[],
        anchors=[],
        trials=[],
    )


def state(values: list[float], **more: Any) -> OuterState:
    fields: Any = {"rounds": [record(value) for value in values], "errors": None, **more}
    outer_state: OuterState = fields
    return outer_state


@pytest.mark.parametrize(
    ("values", "search", "reason"),
    [
        ([0.1], {}, None),
        ([0.1, 0.2, 0.3, 0.4, 0.5], {}, None),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], {}, "rounds"),
        ([0.1], {"outer_rounds": 0}, "rounds"),
        ([0.3, 0.3, 0.2], {"patience": 2}, "patience"),
        ([0.3, 0.2, 0.4, 0.4], {"patience": 2}, None),
        ([0.3, 0.3, 0.2], {"preset": "paper"}, None),
    ],
)
def test_rounds_and_patience(values: list[float], search: dict[str, Any], reason: str | None) -> None:
    assert reason_to_stop(state(values), SearchSettings.model_validate(search)) == reason


def test_no_errors_and_a_reason_found_before() -> None:
    search = SearchSettings()
    assert reason_to_stop(state([0.1], errors=[]), search) == "no_errors"
    assert reason_to_stop(state([0.1], errors=["a"]), search) is None
    assert reason_to_stop(state([0.1], errors=[], stop_reason="budget"), search) == "budget"


def with_gains(*gains: tuple[float, float]) -> list[RoundRecord]:
    """Records of rounds with the gain of each round after the first, and its noise."""
    rounds = [record(0.5) for _ in range(1 + len(gains))]
    for each, (gain, noise) in zip(rounds[1:], gains, strict=True):
        each["gain"] = GainResult(difference=gain, noise=noise)
    return rounds


@pytest.mark.parametrize(
    ("gains", "without"),
    [
        ([], 0),
        ([(0.1, 0.05)], 0),
        ([(0.04, 0.05)], 1),
        ([(0.1, 0.05), (0.02, 0.05), (-0.3, 0.05)], 2),
        ([(0.02, 0.05), (0.0, 0.0), (0.06, 0.05)], 0),
    ],
)
def test_a_gain_within_its_noise_is_no_gain(gains: list[tuple[float, float]], without: int) -> None:
    search = SearchSettings()
    assert rounds_without_gain(with_gains(*gains), search) == without
    fields: Any = {"rounds": with_gains(*gains), "errors": None}
    stops = reason_to_stop(fields, search.model_copy(update={"patience": 2})) == "patience"
    assert stops == (without >= 2)


@given(st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), min_size=1))
def test_rounds_without_gain_counts_back_to_the_first_best(values: list[float]) -> None:
    without = rounds_without_gain([record(value) for value in values], SearchSettings())
    best = len(values) - 1 - without
    assert values[best] == max(values)
    assert max(values[:best], default=-1) < values[best]
