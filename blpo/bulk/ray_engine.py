"""The Ray engine: workers as actors on one machine or a cluster, and one ledger as an actor of its own.

Actors read their parts and write the verdicts, so no image passes the driver or Ray's object store. A killed actor is
started again, and its parts are judged again; a part that was written before is not. The folder of verdicts is the only
memory: Ray Data's checkpoints hold the id of every row in memory, and its tasks wait for whole blocks.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from blpo.bulk.engine import OnSpent, Stop
from blpo.bulk.ledger import Spent
from blpo.bulk.parts import Part
from blpo.bulk.ray_cluster import cluster, ray_library
from blpo.bulk.worker import LANES, Job, PartWorker, open_worker
from state.errors import BlpoError, RunError

_DEATHS = 5
"""Most restarts of a worker for one part: a part that kills its worker must not stop the others for ever."""
_INTERVAL = 0.5
"""Seconds between two looks at the ledger."""


class _LedgerActor:
    """The ledger of all workers."""

    def __init__(self, job: Job) -> None:
        self._ledger = job.ledger()

    def exchange(self, spent: Spent, settled: int, calls: int) -> int:
        return self._ledger.exchange(spent, settled, calls)

    def spent(self) -> Spent:
        return self._ledger.spent


class _WorkerActor:
    """A worker in an asynchronous actor. Errors are values: Ray wraps raised ones."""

    def __init__(self, job: Job, ledger: str) -> None:
        self._job = job
        self._ledger = ray_library().get_actor(ledger)  # by name: a handle would have to outlive restarts of this actor
        self._stack = AsyncExitStack()
        self._worker: PartWorker | None = None
        self._opening = asyncio.Lock()

    async def ready(self) -> int:
        """Return the process id, once the actor has a place in the cluster."""
        return os.getpid()

    async def judge(self, part: Part) -> BlpoError | None:
        """Judge a part; see `PartWorker.judge`."""
        try:
            return await (await self._opened()).judge(part)
        except BlpoError as error:
            return error

    async def end(self, error: BlpoError) -> None:
        """Judge no further sample."""
        (await self._opened()).end(error)

    async def close(self) -> None:
        """Close the clients, and give back calls at hand."""
        await self._stack.aclose()

    async def _opened(self) -> PartWorker:
        async with self._opening:  # here, because a restart begins with the constructor
            if self._worker is None:
                self._worker = await self._stack.enter_async_context(open_worker(self._job, self._exchange))
            return self._worker

    async def _exchange(self, spent: Spent, settled: int, calls: int) -> int:
        granted: int = await self._ledger.exchange.remote(spent, settled, calls)
        return granted


@dataclass
class RayEngine:
    """Engine over actors; see `blpo.bulk.engine.Engine`. Raises `ConfigError` without the extra `ray`."""

    address: str | None = None
    """Address of a cluster; None: a cluster on this machine, for this command alone."""
    actors: int | None = None
    """Workers; None: one for each CPU."""
    pids: list[int] = field(default_factory=list)
    """Process ids of the workers that were placed."""

    def __post_init__(self) -> None:
        ray_library()

    async def __call__(self, job: Job, parts: Iterable[Part], on_spent: OnSpent, stop: Stop) -> BlpoError | None:
        """Judge the parts on the cluster. Raises `RunError` if no cluster is at the address."""
        ray = ray_library()
        with cluster(self.address, self.actors or os.cpu_count() or 1):
            count = self.actors or int(ray.cluster_resources().get("CPU", 1))
            name = f"ledger-{token_hex(8)}"
            once = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
            ledger = ray.remote(_LedgerActor).options(name=name, **once).remote(job)
            kind = ray.remote(_WorkerActor).options(
                num_cpus=1, max_restarts=-1, max_task_retries=_DEATHS, max_concurrency=LANES + 2
            )
            workers = [kind.remote(job, name) for _ in range(count)]
            watch = asyncio.create_task(_watch(ledger, on_spent))
            try:
                end = await _Pool(workers, parts, self.pids).run(stop)
                on_spent(await ledger.spent.remote())
                return end
            finally:
                watch.cancel()


async def _watch(ledger: Any, on_spent: OnSpent) -> None:
    while True:
        await asyncio.sleep(_INTERVAL)
        on_spent(await ledger.spent.remote())


class _Pool:
    """Parts handed out to workers. A worker without a place in the cluster gets no part."""

    def __init__(self, workers: Sequence[Any], parts: Iterable[Part], pids: list[int]) -> None:
        self._workers = workers
        self._parts = iter(parts)
        self._pids = pids
        self._placed: list[Any] = []
        self._open = 0
        self._end: BlpoError | None = None
        self._lost: BlpoError | None = None
        """Reason of the first part that killed its workers; the other parts go on."""

    async def run(self, stop: Stop) -> BlpoError | None:
        """Judge all parts; return the reason if some remain."""
        stop.on_stop(self._stop)
        lanes = {asyncio.create_task(self._lane(worker)) for worker in self._workers for _ in range(LANES)}
        waiting = lanes
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for lane in done:
                    lane.result()
                if not self._open:  # the parts are used up, and other workers still have no place
                    break
            await asyncio.gather(*(worker.close.remote() for worker in self._placed), return_exceptions=True)
            return self._end or self._lost
        finally:
            for lane in waiting:
                lane.cancel()

    def _stop(self, error: BlpoError) -> None:
        self._end = self._end or error
        for worker in self._workers:
            worker.end.remote(error)

    async def _lane(self, worker: Any) -> None:
        pid = await worker.ready.remote()
        if worker not in self._placed:
            self._placed.append(worker)
            self._pids.append(pid)
        for part in self._parts:
            if self._end is not None:
                return
            self._open += 1
            error = await self._judge(worker, part)
            self._open -= 1
            if error is not None and self._end is None:
                self._stop(error)

    async def _judge(self, worker: Any, part: Part) -> BlpoError | None:
        try:
            error: BlpoError | None = await worker.judge.remote(part)
            return error
        except ray_library().exceptions.RayError as error:
            reason = " ".join(str(error).split())[:200]
            text = f"{part.file}: the workers on its rows from {part.start + 1} on died {1 + _DEATHS} times ({reason})"
            self._lost = self._lost or RunError(text)
            return None
