"""What the nodes of one run share: its dataset, its models behind the response store, and its encoded images.

None of it is state. A node borrows the session for as long as it works; whoever drives the graph (the facade) may hold
it open for the whole run. Without such a holder, as in LangGraph Studio, each node opens and closes it, and finds
everything in the response store again.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from langgraph.runtime import Runtime

from blpo.config.settings_file import config_hash
from blpo.data.dataset import Dataset, load_dataset
from blpo.inference.image_cache import ImageCache
from blpo.models.budget import Budget
from blpo.models.calls import ModelCaller
from blpo.models.messages import Role
from blpo.models.recall import Recall
from blpo.storage.response_store import ResponseStore
from blpo.storage.sqlite_connection import TEMPORARY
from blpo.storage.team_store import TeamRun, TeamStore
from state.errors import ConfigError
from state.sample import Sample, SplitName
from state.settings import DataSettings, Settings, TaskSettings


@dataclass(frozen=True, slots=True)
class Session:
    """The resources of one run."""

    settings: Settings
    dataset: Dataset | None
    """None when only new images are judged."""
    store: ResponseStore
    calls: ModelCaller
    images: ImageCache
    opened: float
    """`time.monotonic()` when it was opened."""

    @property
    def seconds(self) -> float:
        """How long the session has been open."""
        return time.monotonic() - self.opened

    def samples(self, ids: Sequence[str]) -> list[Sample]:
        """The samples of the run's dataset with these ids, in the same order."""
        if self.dataset is None:
            raise RuntimeError("this session has no dataset")
        by_id = self.dataset.by_id
        return [by_id[sample_id] for sample_id in ids]

    def split(self, name: SplitName) -> tuple[Sample, ...]:
        """All samples of one split."""
        if self.dataset is None:
            raise RuntimeError("this session has no dataset")
        return self.dataset.splits[name]

    def width(self, role: Role) -> int:
        """How many samples to work on at once for `role`: enough that its model never waits for an image."""
        return 2 * self.settings.models.of(role).max_concurrency

    async def close(self) -> None:
        """Close the models, then the store."""
        try:
            await self.calls.close()
        finally:
            await self.store.close()

    @property
    def budget(self) -> Budget:
        """The budget over all roles."""
        return self.calls.budget


@dataclass(slots=True)
class _Held:
    """An open session, or one that is being opened, and how many borrow it."""

    opening: asyncio.Task[Session]
    borrowers: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """What runs of the same models have in common: one caller below their own, and a folder of encoded images."""

    calls: ModelCaller
    images: Path


_open: dict[tuple[str, int], _Held] = {}
"""Sessions of runs by (store, event loop): connections belong to one loop."""


_served: dict[str, Settings] = {}
"""Settings of runs by thread, where they are not the graph's context."""


@asynccontextmanager
async def open_session(
    settings: Settings, store: Path | TeamRun, shared: Shared | None = None
) -> AsyncIterator[Session]:
    """Open the session of a run over its response store (see `store_of`), or borrow the one that is open.

    With `shared`, what the run is charged for is asked of the shared caller; it counts where the session is opened.
    """
    key = (str(store), id(asyncio.get_running_loop()))
    held = _open.get(key)
    opens = held is None
    if held is None:  # no await before it is entered, so that two who ask at once share one
        held = _open[key] = _Held(asyncio.create_task(_run_session(settings, store, shared)))
    held.borrowers += 1
    try:
        session = await asyncio.shield(held.opening)
        with _old_objects_aside() if opens else nullcontext():  # to look whether they are takes 20 ms
            yield session
    finally:
        held.borrowers -= 1
        if held.borrowers == 0:
            del _open[key]
            await _close(held.opening)


@asynccontextmanager
async def session_of(runtime: Runtime[Settings]) -> AsyncIterator[Session]:
    """Borrow the session of the run that a node belongs to."""
    settings = settings_of(runtime)
    directory = run_directory(runtime)
    async with open_session(settings, store_of(settings, directory, _thread(runtime) or directory.name)) as session:
        yield session


def settings_of(runtime: Runtime[Settings]) -> Settings:
    """The run's settings; all defaults where the graph was invoked without a context (but see `settings_for`)."""
    served = _served.get(_thread(runtime) or "")
    context: Settings | None = served or runtime.context
    return Settings() if context is None else context


@contextmanager
def settings_for(thread: str, settings: Settings) -> Iterator[None]:
    """Let the run of this thread have these settings, whatever the context of its graph is."""
    _served[thread] = settings
    try:
        yield
    finally:
        del _served[thread]


def run_directory(runtime: Runtime[Settings]) -> Path:
    """`run.dir`; where it is not set a folder of the thread's, or of the settings' where there is no thread."""
    settings = settings_of(runtime)
    if settings.run.dir is not None:
        return Path(settings.run.dir)
    return Path("runs") / (_thread(runtime) or f"{settings.run_name}-{config_hash(settings)[:12]}")


def store_of(settings: Settings, directory: Path, run: str) -> Path | TeamRun:
    """Where the run in `directory`, with this thread id, keeps its answers."""
    return TeamRun(run, directory) if settings.run.in_postgres else store_path(directory)


def store_path(directory: Path) -> Path:
    """The response store of a run directory."""
    return directory / "responses.sqlite"


def _thread(runtime: Runtime[Settings]) -> str | None:
    return runtime.execution_info.thread_id if runtime.execution_info else None


@contextmanager
def _old_objects_aside() -> Iterator[None]:
    """Keep what is in memory by now out of garbage collection for as long as the block lasts.

    Each full collection would go through some hundred thousand objects of the libraries, for a tenth of a second in
    which no answer is read and no request sent.
    """
    if gc.get_freeze_count():  # by another session, or by the program that uses us
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _run_session(settings: Settings, store: Path | TeamRun, shared: Shared | None) -> Session:
    dataset = await asyncio.to_thread(dataset_of, settings)
    session = await _new_session(settings, store, dataset, shared)
    session.budget.reserve(2 * len(session.split("test")))
    return session


async def _close(opening: asyncio.Task[Session]) -> None:
    """Close the session once it is open; one that could not be opened needs no closing."""
    await asyncio.wait([opening])
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()


@asynccontextmanager
async def judging_session(settings: Settings, store: Path | None = None) -> AsyncIterator[Session]:
    """Open a session without a dataset, to judge new images, each once: none is kept in memory.

    Answers are kept in the response store; None: in one that goes with the session.
    """
    session = await _new_session(settings, store, None)
    try:
        with _old_objects_aside():
            yield session
    finally:
        await session.close()


@asynccontextmanager
async def recalling_session(settings: Settings, store: Path | TeamRun, dataset: Dataset) -> AsyncIterator[Session]:
    """Open a session that answers from the run's response store alone, and changes nothing in its directory.

    What the run has not asked is a failure. Raises `RunError` where there is no store, and `ModelError`.
    """
    opened = await (TeamStore.open_run(store) if isinstance(store, TeamRun) else ResponseStore.open_to_read(store))
    try:
        kept = _images(store)
        images = ImageCache(kept if kept and kept.is_dir() else None)
        yield Session(settings, dataset, opened, Recall(settings.models, opened), images, time.monotonic())
    finally:
        await opened.close()


def dataset_of(settings: Settings, *, fresh: bool = False) -> Dataset:
    """The run's dataset, read once a process, and again where a `fresh` one is asked for; raises `DataError`."""
    if fresh:
        _load.cache_clear()
    return _load(settings.data, settings.task, settings.search.seed)


async def _new_session(
    settings: Settings, store: Path | TeamRun | None, dataset: Dataset | None, shared: Shared | None = None
) -> Session:
    opened = await _open_store(store, shared)
    try:
        upstream = shared.calls if shared else None
        calls = await ModelCaller.create(settings.models, settings.limits, opened, upstream=upstream)
    except BaseException:
        await opened.close()
        raise
    images = ImageCache(shared.images if shared else _images(store)) if dataset else ImageCache(max_bytes=0)
    return Session(settings, dataset, opened, calls, images, time.monotonic())


async def _open_store(store: Path | TeamRun | None, shared: Shared | None) -> ResponseStore:
    if not isinstance(store, TeamRun):
        return await ResponseStore.open(store or TEMPORARY)
    if shared is not None:
        raise ConfigError(
            "run.checkpoints: postgres shares answers between runs, and here each is charged for its own; take it out"
        )
    return await TeamStore.open_run(store)


def _images(store: Path | TeamRun | None) -> Path | None:
    directory = store.directory if isinstance(store, TeamRun) else store.parent if store else None
    return directory / "images" if directory else None


@lru_cache(maxsize=4)
def _load(data: DataSettings, task: TaskSettings, seed: int) -> Dataset:
    return load_dataset(data, task, seed)
