"""Calls that a worker may make: taken from the ledger of all workers in small heaps."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from blpo.bulk.ledger import LATER, Ledger, Spent
from blpo.inference.answer_forms import asks_once, questions_about
from blpo.inference.open_models import OpenModels
from state.errors import BudgetSpent
from state.sample import Sample
from state.settings import LimitSettings

Exchange = Callable[[Spent, int, int], Awaitable[int]]
"""`Ledger.exchange`, perhaps in another process."""

_HEAP = 32
"""Samples that a heap of calls pays for."""
_TRIES = 40
"""Requests for calls that others may give back; the calls of a killed worker never come back."""
_INTERVAL = 0.5
"""Most seconds between two reports to the ledger while samples are judged."""


class Purse:
    """Calls of one worker. `limits` are shown in messages; the ledger keeps them."""

    def __init__(self, exchange: Exchange, limits: LimitSettings) -> None:
        self._exchange = exchange
        self._limits = limits
        self._calls = 0
        """Calls at hand."""
        self._settled = 0
        """Granted calls of samples that were judged since the last report."""
        self._rows = Spent()
        self._reported = Spent()
        self._reported_at = time.monotonic()
        self._lock = asyncio.Lock()
        self._models: OpenModels | None = None

    def open(self, models: OpenModels) -> None:
        """Count the calls of `models`."""
        self._models = models

    async def take(self, sample: Sample) -> None:
        """Take the calls of a sample, repairs not counted; raises `BudgetSpent`."""
        if not self._is_limited:
            return
        price = self._price(sample)
        async with self._lock:
            for _ in range(_TRIES):
                if self._calls >= price or (granted := await self._report(calls=_HEAP * price)) == 0:
                    break
                self._calls += max(0, granted)
                await asyncio.sleep(_INTERVAL if granted == LATER else 0)
            if self._calls < price:
                raise BudgetSpent(f"the budget is spent ({self._words}); give more to go on")
            self._calls -= price

    async def settle(self, sample: Sample, *, failed: bool) -> None:
        """Count a judged sample, and report now and then."""
        self._settled += self._price(sample) if self._is_limited else 0
        self._rows += Spent(rows=1, failed=int(failed))
        if time.monotonic() - self._reported_at >= _INTERVAL:
            await self._report(calls=0)

    async def give_back(self) -> None:
        """Tell the last costs, and give back the calls at hand."""
        self._settled, self._calls = self._settled + self._calls, 0
        await self._report(calls=0)

    async def _report(self, calls: int) -> int:
        self._reported_at = time.monotonic()
        total, settled = self._rows + self._costs, self._settled
        news, self._reported, self._settled = total - self._reported, total, 0
        return await self._exchange(news, settled, calls)

    @property
    def _costs(self) -> Spent:
        assert self._models is not None
        budget = self._models.budget
        return Spent(calls=budget.calls, tokens=budget.tokens, usd=budget.usd)

    @property
    def _is_limited(self) -> bool:
        return self._limits.calls is not None or self._limits.usd is not None

    @property
    def _words(self) -> str:
        calls = None if self._limits.calls is None else f"--max-calls {self._limits.calls}"
        usd = None if self._limits.usd is None else f"--max-usd {self._limits.usd:g}"
        return ", ".join(filter(None, (calls, usd)))

    def _price(self, sample: Sample) -> int:
        """Return the calls of a sample; a criterion after the first costs none if one request asks for all."""
        assert self._models is not None
        settings = self._models.settings
        if asks_once(settings) and sample.task != settings.task_names[0]:
            return 0
        return questions_about(settings, [sample])


def unlimited_purse() -> Purse:
    """Return a purse without an end."""
    ledger = Ledger(LimitSettings())

    async def exchange(spent: Spent, settled: int, calls: int) -> int:
        return ledger.exchange(spent, settled, calls)

    return Purse(exchange, LimitSettings())
