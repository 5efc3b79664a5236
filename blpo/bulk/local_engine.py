"""The local engine: one worker in this process."""

from collections.abc import Iterable

from blpo.bulk.engine import OnSpent, Stop, all_of
from blpo.bulk.ledger import Spent
from blpo.bulk.parts import Part
from blpo.bulk.worker import LANES, Job, PartWorker, open_worker
from state.errors import BlpoError


async def judge_here(job: Job, parts: Iterable[Part], on_spent: OnSpent, stop: Stop) -> BlpoError | None:
    """Judge the parts in this process; see `blpo.bulk.engine.Engine`."""
    ledger = job.ledger()

    async def exchange(spent: Spent, settled: int, calls: int) -> int:
        granted = ledger.exchange(spent, settled, calls)
        on_spent(ledger.spent)
        return granted

    async with open_worker(job, exchange) as worker:
        stop.on_stop(worker.end)
        remaining = iter(parts)
        await all_of([_lane(worker, remaining) for _ in range(LANES)])
        return worker.end_error


async def _lane(worker: PartWorker, parts: Iterable[Part]) -> None:
    for part in parts:
        if worker.end_error is not None or await worker.judge(part) is not None:
            return
