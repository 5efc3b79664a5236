"""The Ray engine: workers as actors on one machine or a cluster, and one ledger as an actor of its own.

Actors read their parts and write the verdicts, so no image passes the driver or Ray's object store. A killed actor is
started again, and its parts are judged again; a part that was written before is not. The folder of verdicts is the only
memory: Ray Data's checkpoints hold the id of every row in memory, and its tasks wait for whole blocks.
"""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from blpo.bulk.engine import OnSpent, Stop
from blpo.bulk.ledger import Spent
from blpo.bulk.parts import Part
from blpo.bulk.worker import LANES, Job, PartWorker, open_worker
from state.errors import BlpoError, ConfigError, RunError

_DEATHS = 5
"""Most restarts of a worker for one part: a part that kills its worker must not stop the others for ever."""
_INTERVAL = 0.5
"""Seconds between two looks at the ledger."""
_PATIENCE = 10.0
"""Seconds that a cluster may take to accept a connection."""
_MEMORY = 100 * 2**20
"""Bytes of Ray's object store on one machine: only parts and counts pass through it."""


def _ray() -> Any:
    """Import Ray; raises `ConfigError` without the extra."""
    try:
        import ray
    except ImportError:
        raise ConfigError("--engine ray needs the extra 'ray'; install it with: pip install -e '.[ray]'") from None
    return ray


class _LedgerActor:
    """The ledger of all workers."""

    def __init__(self, job: Job) -> None:
        self._ledger = job.ledger()

    def exchange(self, spent: Spent, settled: int, wanted: int) -> int:
        return self._ledger.exchange(spent, settled, wanted)

    def spent(self) -> Spent:
        return self._ledger.spent


class _WorkerActor:
    """A worker in an asynchronous actor. Errors are values: Ray wraps raised ones."""

    def __init__(self, job: Job, ledger: str) -> None:
        self._job = job
        self._ledger = _ray().get_actor(ledger)  # by name: a handle would have to outlive restarts of this actor
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

    async def _exchange(self, spent: Spent, settled: int, wanted: int) -> int:
        granted: int = await self._ledger.exchange.remote(spent, settled, wanted)
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
        _ray()

    async def __call__(self, job: Job, parts: Iterable[Part], on_spent: OnSpent, stop: Stop) -> BlpoError | None:
        """Judge the parts on the cluster. Raises `RunError` if no cluster is at the address."""
        ray = _ray()
        with _cluster(self.address, self.actors or os.cpu_count() or 1):
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
        except _ray().exceptions.RayError as error:
            reason = " ".join(str(error).split())[:200]
            text = f"{part.file}: the workers on its rows from {part.start + 1} on died {1 + _DEATHS} times ({reason})"
            self._lost = self._lost or RunError(text)
            return None


@contextmanager
def _cluster(address: str | None, cpus: int) -> Iterator[None]:
    """Connect to a cluster, or start one on this machine that ends with the block. Raises `RunError`."""
    ray = _ray()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray gives 15: on a busy machine such workers hardly run
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    folder = None if address else tempfile.mkdtemp(prefix="blpo-ray-", dir=_short_folder())
    _require_answer(address)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    own = {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": _MEMORY, "_temp_dir": folder}
    try:
        try:
            ray.init(address=address or "local", **quiet, **(own if folder else {}))
        except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
            raise _no_cluster(address, error) from None
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own handler would end the process at once
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _require_answer(address: str | None) -> None:
    """Raise `RunError` if nobody listens at an address `host:port`; Ray itself would try for many minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
        except OSError as error:
            raise _no_cluster(address, error) from None


def _no_cluster(address: str | None, error: Exception) -> RunError:
    place = f"--ray-address {address}" if address else "Ray"
    reason = " ".join(str(error).split())[:150]
    return RunError(f"{place}: no cluster answers ({reason}); a cluster with a token needs RAY_AUTH_TOKEN")


def _short_folder() -> str | None:
    """Return a folder with a short path, because sockets have short paths."""
    return "/tmp" if Path("/tmp").is_dir() else None
