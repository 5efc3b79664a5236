"""One budget and one count of progress over all workers.

A worker asks for calls before it begins samples, and tells its spending with every request. Granted calls count as
spent until the worker tells otherwise. So calls are exceeded by no more than repairs of samples in flight, dollars by
no more than calls in flight, and the calls of a killed worker stay counted.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Self

from state.settings import LimitSettings

LATER = -1
"""In place of a number of calls: all are granted, and some of them are not used yet."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Work and costs so far, or since the last report."""

    rows: int = 0
    failed: int = 0
    """Rows without a verdict."""
    calls: int = 0
    """Calls issued. Several attempts of a request count as one."""
    tokens: int = 0
    """Input and output tokens."""
    usd: float = 0.0
    """Dollars, as far as prices are known."""

    def __add__(self, other: Self) -> Self:
        return type(self)(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    def __sub__(self, other: Self) -> Self:
        return self + type(other)(**{name: -value for name, value in asdict(other).items()})


_NOTHING = Spent()


class Ledger:
    """Budget over all workers of a command, and of earlier commands with the costs `before`."""

    def __init__(
        self, limits: LimitSettings, before: Spent = _NOTHING, save: Callable[[Spent], None] | None = None
    ) -> None:
        self._limits = limits
        self._before = before
        self._save = save
        self._spent = Spent()
        self._granted = 0
        """Calls that were granted and not yet settled."""

    @property
    def spent(self) -> Spent:
        """Work and costs of this command."""
        return self._spent

    def exchange(self, spent: Spent, settled: int, calls: int) -> int:
        """Add a worker's costs, of which `settled` calls were granted before; return the calls granted now.

        Returns less than `calls` calls if no more are left, and `LATER` if none are left, and some may come back.
        """
        self._spent += spent
        self._granted -= settled
        granted = min(calls, self._left())
        if calls and not granted and self._granted > 0:
            return LATER
        self._granted += granted
        if self._save is not None:
            self._save(self._committed())
        return granted

    def _committed(self) -> Spent:
        """Return all costs, with the calls that were granted and are not settled at the mean cost so far."""
        total = self._before + self._spent
        open_usd = self._granted * total.usd / max(total.calls, 1)
        return replace(total, calls=total.calls + self._granted, usd=total.usd + open_usd)

    def _left(self) -> int:
        """Return the calls that the budget still allows."""
        committed, total = self._committed(), self._before + self._spent
        bounds = [2**62]
        if self._limits.calls is not None:
            bounds.append(self._limits.calls - committed.calls)
        if self._limits.usd is not None:
            mean = total.usd / max(total.calls, 1)
            dollars = self._limits.usd - committed.usd
            bounds.append(0 if dollars <= 0 else int(dollars / mean + 1e-9) if mean else 2**62)
        return max(0, min(bounds))
