"""The budget: hard in calls; in tokens and dollars exceeded by the calls in flight at most; kept over resumes."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.models.budget import Budget
from blpo.storage.role_counts import RoleCounts
from state.errors import BudgetSpent
from state.settings import LimitSettings

COSTS = st.lists(st.integers(1, 50), max_size=40)


async def spend(budget: Budget, costs: Sequence[int], at_once: int) -> list[int]:
    """Make calls of the given costs, `at_once` at a time; return the costs of admitted calls."""
    places, admitted = asyncio.Semaphore(at_once), list[int]()

    async def call(cost: int) -> None:
        async with places:
            try:
                budget.admit("judge")
            except BudgetSpent:
                return
            admitted.append(cost)
            await asyncio.sleep(0)
            budget.settle("judge", cost, cost / 100)

    await asyncio.gather(*map(call, costs))
    return admitted


@given(COSTS, st.integers(1, 60), st.integers(1, 8), st.integers(0, 20))
def test_calls_are_never_exceeded_and_the_reserve_is_left(
    costs: list[int], limit: int, at_once: int, reserve: int
) -> None:
    budget = Budget(LimitSettings(calls=limit))
    budget.reserve(reserve)
    searched = asyncio.run(spend(budget, costs, at_once))
    assert len(searched) == min(len(costs), max(0, limit - reserve))
    assert budget.remaining_calls == max(0, limit - reserve - len(searched))
    budget.release()
    tested = asyncio.run(spend(budget, [1] * reserve, at_once))
    assert len(tested) == min(reserve, limit - len(searched))


@given(COSTS, st.integers(1, 400), st.integers(1, 8), st.booleans())
def test_tokens_and_dollars_are_exceeded_by_no_more_than_the_calls_in_flight(
    costs: list[int], limit: int, at_once: int, in_dollars: bool
) -> None:
    limits = LimitSettings(usd=limit / 100) if in_dollars else LimitSettings(tokens=limit)
    budget = Budget(limits)
    admitted = asyncio.run(spend(budget, costs, at_once))
    assert sum(admitted) <= limit + at_once * 50
    if len(admitted) < len(costs):  # stopped, but not long before the limit
        mean = sum(admitted) / max(len(admitted), 1)
        assert sum(admitted) + at_once * max([mean, *admitted]) >= limit


@given(COSTS, st.integers(1, 400), st.integers(1, 40))
def test_a_resumed_budget_allows_what_the_uninterrupted_one_allows(costs: list[int], tokens: int, calls: int) -> None:
    limits = LimitSettings(tokens=tokens, calls=calls)
    whole = asyncio.run(spend(Budget(limits), costs, 1))
    half = len(costs) // 2
    first = asyncio.run(spend(Budget(limits), costs[:half], 1))
    spent = RoleCounts(issued=len(first), answered=len(first), input_tokens=sum(first))
    second = asyncio.run(spend(Budget.resumed(limits, {"judge": spent}), costs[half:], 1))
    assert first + second == whole


def test_what_is_kept_back_counts_in_tokens_at_the_mean_judge_call() -> None:
    budget = Budget(LimitSettings(tokens=100))
    for _ in range(3):
        budget.admit("judge")
        budget.settle("judge", 10)
    budget.reserve(6)
    assert not budget.affords(2)
    assert budget.affords(1)
    budget.admit("judge")
    budget.settle("judge", 10)
    with pytest.raises(BudgetSpent, match=r"limits\.tokens"):
        budget.admit("judge")
    budget.admit("optimizer")  # of unknown cost so far: admitted while anything is left
    budget.settle("optimizer", 60)
    budget.release()
    with pytest.raises(BudgetSpent, match=r"limits\.tokens \(100\) is spent"):
        budget.admit("judge")


def test_failed_calls_count_as_calls_and_not_in_the_mean() -> None:
    budget = Budget(LimitSettings(calls=3, tokens=100))
    budget.admit("judge")
    budget.settle("judge", answered=False)
    budget.admit("judge")
    budget.settle("judge", 50)
    assert budget.remaining_calls == 1
    assert budget.affords(1)
    budget.admit("judge")
    budget.settle("judge", 50)
    with pytest.raises(BudgetSpent, match=r"limits\.calls"):
        budget.admit("judge")


def test_without_limits_all_is_allowed() -> None:
    budget = Budget(LimitSettings())
    budget.reserve(10**9)
    budget.admit("judge")
    assert budget.remaining_calls is None
    assert budget.affords(10**9)
