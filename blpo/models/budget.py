"""One hard budget over all roles, in calls, tokens and dollars, kept across resumes.

It starts from what the store has counted. Calls are never exceeded. Tokens and dollars are known only afterwards: a
call is admitted if it and the calls in flight still fit at the mean cost of their role so far, so tokens and dollars
are exceeded by no more than the calls in flight.

A verdict costs a second call where its reply has to be repaired. How many will is judged by the samples seen so far, so
that what is kept back for the test also pays for the repairs of a judge that is often unparseable.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from blpo.storage.response_store import RoleCounts
from state.errors import BudgetSpent
from state.settings import LimitSettings


@dataclass(slots=True)
class _Tally:
    """What the answered calls of one role have cost."""

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
    """What may still be spent. Used from one event loop; every `admit` is followed by one `settle`."""

    limits: LimitSettings
    calls: int = 0
    """Issued so far, in flight included."""
    reserved: int = 0
    """Verdicts whose calls are kept back for the test split."""
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    _in_flight: Counter[str] = field(default_factory=Counter)
    _repaired: dict[str, bool] = field(default_factory=dict)
    """By sample: whether its last verdict needed a repair."""
    _repairs: int = 0
    """How many did."""

    @classmethod
    def resumed(cls, limits: LimitSettings, spent: Mapping[str, RoleCounts]) -> "Budget":
        """The budget of a run that has spent this already."""
        tallies = {
            role: _Tally(counts.answered, counts.input_tokens + counts.output_tokens, counts.usd)
            for role, counts in spent.items()
        }
        return cls(limits, sum(counts.issued for counts in spent.values()), _tallies=tallies)

    def admit(self, role: str) -> None:
        """Count a call of `role` as in flight; raises `BudgetSpent` where it may not be sent."""
        expected = self._committed() + self._mean("judge").times(self._kept_back) + self._mean(role)
        spent = self._exceeded(expected) or self._used_up()
        if spent:
            raise BudgetSpent(f"limits.{spent} ({getattr(self.limits, spent):g}) is spent; raise it and resume")
        self.calls += 1
        self._in_flight[role] += 1

    def settle(self, role: str, tokens: int = 0, usd: float | None = None, *, answered: bool = True) -> None:
        """An admitted call has ended, and cost this (an unknown price counts as nothing); it stays counted."""
        self._in_flight[role] -= 1
        if answered:
            tally = self._tallies.setdefault(role, _Tally())
            tally.answered += 1
            tally.tokens += tokens
            tally.usd += usd or 0.0

    def judged(self, sample_id: str, *, repaired: bool) -> None:
        """A sample was judged, and its reply has to be repaired or not; the last word on a sample counts."""
        if self.is_limited:
            repaired_before = self._repaired.get(sample_id, False)
            self._repaired[sample_id] = repaired
            self._repairs += repaired - repaired_before

    def expected_calls(self, verdicts: int) -> int:
        """How many judge calls so many verdicts take, at the share of repairs so far; rounded up."""
        return math.ceil(verdicts * (1 + self._repairs / max(len(self._repaired), 1)))

    def reserve(self, verdicts: int) -> None:
        """Keep back the judge calls of so many verdicts, and the tokens and dollars of as many at the mean so far."""
        self.reserved = verdicts

    def release(self) -> None:
        """Give back what was kept back."""
        self.reserved = 0

    def affords(self, calls: int) -> bool:
        """Whether so many more judge calls fit, at the mean so far, beside what is kept back and in flight."""
        return self._exceeded(self._committed() + self._mean("judge").times(calls + self._kept_back)) is None

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit on calls, tokens or dollars."""
        return (self.limits.calls, self.limits.tokens, self.limits.usd) != (None, None, None)

    @property
    def remaining_calls(self) -> int | None:
        """Calls that may still be issued beside those kept back, at least 0; None: no limit on calls."""
        return None if self.limits.calls is None else max(0, self.limits.calls - self.calls - self._kept_back)

    @property
    def tokens(self) -> int:
        """Input and output tokens of all answered calls."""
        return sum(tally.tokens for tally in self._tallies.values())

    @property
    def usd(self) -> float:
        """Dollars spent, as far as prices are known."""
        return sum(tally.usd for tally in self._tallies.values())

    @property
    def _kept_back(self) -> int:
        """Calls for the verdicts kept back. Chance may bring more repairs than so far: two standard deviations more."""
        repairs = self._repairs
        share = min(1.0, (repairs + 2 * math.sqrt(repairs)) / max(len(self._repaired), 1))
        return math.ceil(self.reserved * (1 + share))

    def _mean(self, role: str) -> _Cost:
        return self._tallies.get(role, _Tally()).mean()

    def _committed(self) -> _Cost:
        """Spent, and expected of the calls in flight."""
        total = _Cost(self.calls, self.tokens, self.usd)
        for role, count in self._in_flight.items():
            expected = self._mean(role).times(count)
            total += _Cost(0, expected.tokens, expected.usd)  # their calls are counted already
        return total

    def _exceeded(self, cost: _Cost) -> str | None:
        """The name of a limit that `cost` is above."""
        for name in ("calls", "tokens", "usd"):
            limit = getattr(self.limits, name)
            if limit is not None and getattr(cost, name) > limit:
                return name
        return None

    def _used_up(self) -> str | None:
        """The name of a limit of which nothing is left, whatever the next call costs."""
        for name in ("tokens", "usd"):
            limit = getattr(self.limits, name)
            if limit is not None and getattr(self, name) >= limit:
                return name
        return None
