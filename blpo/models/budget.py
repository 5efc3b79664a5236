"""Hard budget over all roles, in calls, tokens and dollars, kept across resumes.

The budget starts from the counts of the store. Calls are never exceeded. Tokens and dollars are known only after a
call: a call is admitted if the call and the calls in flight still fit at the mean cost of their role so far. So tokens
and dollars are exceeded by no more than the calls in flight.

A verdict costs a second call if the reply has to be repaired. The budget expects as large a share of repairs as so far.
So the reserve for the test also pays for the repairs of an often unparseable judge.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from blpo.storage.role_counts import RoleCounts
from state.errors import BudgetSpent
from state.settings import LimitSettings


@dataclass(slots=True)
class _Tally:
    """Sum of the costs of a role's answered calls."""

    answered: int = 0
    tokens: int = 0
    usd: float = 0.0

    def mean(self) -> "_Cost":
        count = max(self.answered, 1)
        return _Cost(1, self.tokens / count, self.usd / count)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Calls, tokens (input + output) and dollars: spent, expected, or allowed."""

    calls: float = 0
    tokens: float = 0
    usd: float = 0

    def __add__(self, other: "_Cost") -> "_Cost":
        return _Cost(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def times(self, count: int) -> "_Cost":
        return _Cost(self.calls * count, self.tokens * count, self.usd * count)


@dataclass
class Budget:
    """Limits, and costs so far. For one event loop; every `admit` is followed by one `settle`."""

    limits: LimitSettings
    calls: int = 0
    """Calls issued so far, calls in flight included."""
    reserved: int = 0
    """Verdicts whose calls are reserved for the test split."""
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    """Costs by role."""
    _in_flight: Counter[str] = field(default_factory=Counter)
    """Calls in flight by role."""
    _repaired: dict[str, bool] = field(default_factory=dict)
    """By sample: true if the sample's last verdict needed a repair."""
    _repairs: int = 0
    """Number of true values in `_repaired`."""

    @classmethod
    def resumed(cls, limits: LimitSettings, spent: Mapping[str, RoleCounts]) -> "Budget":
        """Return the budget of a run with the counts `spent` by role."""
        tallies = {
            role: _Tally(counts.answered, counts.input_tokens + counts.output_tokens, counts.usd)
            for role, counts in spent.items()
        }
        return cls(limits, sum(counts.issued for counts in spent.values()), _tallies=tallies)

    def admit(self, role: str) -> None:
        """Count a call of `role` as in flight; raises `BudgetSpent` if the call may not be sent."""
        if self.is_limited and (limit := self._limit_against(role)):
            raise BudgetSpent(f"limits.{limit} ({getattr(self.limits, limit):g}) is spent; raise it and resume")
        self.calls += 1
        self._in_flight[role] += 1

    def settle(self, role: str, tokens: int = 0, usd: float | None = None, *, answered: bool = True) -> None:
        """Count the cost of an admitted call after its end; an unknown price (None) counts as nothing."""
        self._in_flight[role] -= 1
        if answered:
            tally = self._tallies.setdefault(role, _Tally())
            tally.answered += 1
            tally.tokens += tokens
            tally.usd += usd or 0.0

    def judged(self, sample_id: str, *, repaired: bool) -> None:
        """Record if the verdict of a sample needs a repair; the last verdict of a sample counts."""
        if self.is_limited:
            repaired_before = self._repaired.get(sample_id, False)
            self._repaired[sample_id] = repaired
            self._repairs += repaired - repaired_before

    def expected_calls(self, verdicts: int) -> int:
        """Return the judge calls of so many verdicts, at the share of repairs so far; rounded up."""
        return math.ceil(verdicts * (1 + self._repairs / max(len(self._repaired), 1)))

    def reserve(self, verdicts: int) -> None:
        """Reserve the judge calls of so many verdicts, and tokens and dollars at the mean so far."""
        self.reserved = verdicts

    def release(self) -> None:
        """End the reserve."""
        self.reserved = 0

    def affords(self, calls: int) -> bool:
        """Return true if so many more judge calls fit, at the mean so far, beside the reserve and calls in flight."""
        return self._exceeded_limit(self._committed() + self._mean("judge").times(calls + self._reserved_calls)) is None

    def _limit_against(self, role: str) -> str | None:
        """Return the name of a limit that forbids a call of `role`."""
        expected = self._committed() + self._mean("judge").times(self._reserved_calls) + self._mean(role)
        return self._exceeded_limit(expected) or self._used_up_limit()

    @property
    def is_limited(self) -> bool:
        """True if calls, tokens or dollars have a limit."""
        return (self.limits.calls, self.limits.tokens, self.limits.usd) != (None, None, None)

    @property
    def remaining_calls(self) -> int | None:
        """Calls left beside the reserve, at least 0; None: no limit on calls."""
        return None if self.limits.calls is None else max(0, self.limits.calls - self.calls - self._reserved_calls)

    @property
    def tokens(self) -> int:
        """Input and output tokens of all answered calls."""
        return sum(tally.tokens for tally in self._tallies.values())

    @property
    def usd(self) -> float:
        """Dollars spent, as far as prices are known."""
        return sum(tally.usd for tally in self._tallies.values())

    @property
    def _reserved_calls(self) -> int:
        """Calls of the reserved verdicts. Chance may bring more repairs than so far: two standard deviations more."""
        repairs = self._repairs
        share = min(1.0, (repairs + 2 * math.sqrt(repairs)) / max(len(self._repaired), 1))
        return math.ceil(self.reserved * (1 + share))

    def _mean(self, role: str) -> _Cost:
        return self._tallies.get(role, _Tally()).mean()

    def _committed(self) -> _Cost:
        """Return the costs so far and the expected costs of the calls in flight."""
        total = _Cost(self.calls, self.tokens, self.usd)
        for role, count in self._in_flight.items():
            expected = self._mean(role).times(count)
            total += _Cost(0, expected.tokens, expected.usd)  # calls in flight are counted already
        return total

    def _exceeded_limit(self, cost: _Cost) -> str | None:
        """Return the name of a limit below `cost`."""
        for name in ("calls", "tokens", "usd"):
            limit = getattr(self.limits, name)
            if limit is not None and getattr(cost, name) > limit:
                return name
        return None

    def _used_up_limit(self) -> str | None:
        """Return the name of a used-up limit; the cost of the next call does not matter."""
        for name in ("tokens", "usd"):
            limit = getattr(self.limits, name)
            if limit is not None and getattr(self, name) >= limit:
                return name
        return None
