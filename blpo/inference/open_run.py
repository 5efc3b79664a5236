"""The open run: the resources shared by the nodes of a run. No resource is part of the state.

`open_run` holds the run in a context variable until the end of the block. Nodes of a graph driven inside the block find
the run in the variable. Without a holder, as in a bare `graph.ainvoke`, every node opens the run and closes the run
again; earlier answers are read from the response store.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path

from langgraph.runtime import Runtime

from blpo.config.config_hash import config_hash
from blpo.data.dataset import Dataset
from blpo.data.run_dataset import dataset_of
from blpo.inference.answer_forms import questions_about
from blpo.inference.ended_runs import EndedRun, keep_ended
from blpo.inference.garbage import frozen_garbage
from blpo.inference.image_cache import ImageCache
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_models import OpenModels
from blpo.inference.panel_weights import PanelWeights, learns_weights
from blpo.inference.recent_answers import Memory
from blpo.inference.run_store import StorePlace, images_folder, open_store, store_place
from blpo.models.calls import ModelCaller
from blpo.models.recall import Recall
from blpo.storage.response_store import ResponseStore
from blpo.storage.team_store import TeamRun
from state.errors import ConfigError, RunError
from state.loops import InnerState, OuterState, UpdateState
from state.sample import Example, Sample, SplitName
from state.settings import Settings


@dataclass(frozen=True, slots=True)
class OpenRun(OpenModels):
    """A run with dataset, response store and budget."""

    thread: str | None
    """Id of the LangGraph thread; None for a graph without checkpoints."""
    place: StorePlace
    """Place of `store`."""
    store: ResponseStore
    dataset: Dataset
    opened_at: float
    """`time.monotonic()` at the opening."""

    @property
    def seconds(self) -> float:
        """Seconds since the opening."""
        return time.monotonic() - self.opened_at

    @property
    def recall(self) -> OpenModels:
        """The same models, answered from memory and the store alone."""
        recall = Recall(self.settings.models, self.store)
        weights = None if self.weights is None else replace(self.weights)  # recalled weights may miss answers
        return OpenModels(
            self.settings,
            recall,
            self.images,
            self.budget,
            examples=self.examples,
            weights=weights,
            memory=self.memory,
        )

    def samples(self, ids: Sequence[str]) -> list[Sample]:
        """Return the samples with the ids `ids`, in the same order."""
        by_id = self.dataset.by_id
        return [by_id[sample_id] for sample_id in ids]

    def batch(self, state: UpdateState) -> list[Sample]:
        """Return the samples of I_B, then the anchors."""
        return self.samples([*(state["errors"] or []), *state["anchors"]])

    def scored_samples(self, state: InnerState | OuterState) -> list[Sample]:
        """Return the samples that score a trial: those drawn for the score, else the batch."""
        scored_on = state.get("scored_on")
        return self.samples(scored_on) if scored_on else self.batch(state)

    def split(self, name: SplitName) -> tuple[Sample, ...]:
        """Return all samples of a split."""
        return self.dataset.splits[name]

    @property
    def labelled(self) -> tuple[Sample, ...]:
        """Samples of train, then of validation."""
        return (*self.split("train"), *self.split("validation"))

    @property
    def batch_samples(self) -> tuple[Sample, ...]:
        """Samples that the batch of a round is drawn from."""
        return tuple(sample for name in self.settings.search.batch_splits for sample in self.split(name))

    def questions(self, *names: SplitName) -> int:
        """Return the judge requests for all samples of splits under one prompt, repairs not counted."""
        return questions_about(self.settings, [sample for name in names for sample in self.split(name)])


@dataclass(frozen=True, slots=True)
class SharedModels:
    """Resources shared by several runs of the same models."""

    caller: ModelCaller
    """Caller below the runs' own callers."""
    folder: Path
    """Folder of encoded images."""
    images: dict[tuple[object, ...], ImageCache] = field(default_factory=dict)
    """Encoded images of every dataset that was checked."""

    def images_of(self, settings: Settings) -> ImageCache:
        """Return the encoded images of a run's dataset."""
        return self.images.setdefault(settings.dataset_key, ImageCache(self.folder))


_CURRENT: ContextVar[OpenRun | None] = ContextVar("open_run", default=None)


@asynccontextmanager
async def open_run(
    settings: Settings,
    place: StorePlace,
    *,
    thread: str | None = None,
    dataset: Dataset | None = None,
    shared: SharedModels | None = None,
) -> AsyncIterator[OpenRun]:
    """Open the run with the answers at `place`, and hold the run for the nodes until the end of the block.

    Without `dataset`, the function reads the dataset. With `shared`, requests of the run go to the shared caller; the
    run's own store and budget still count the requests. Inside the block a second opening of the same place gives the
    same run; a second opening with different settings raises `RunError`. Raises `DataError`, `ModelError`,
    `ConfigError` and `RunError`.
    """
    outer = _CURRENT.get()
    if outer is not None and outer.place == place:
        _require_same(outer, settings)
        yield outer
        return
    async with AsyncExitStack() as stack:
        if dataset is None:
            dataset = await asyncio.to_thread(dataset_of, settings)
        store = await _open_store(place, shared)
        stack.push_async_callback(store.close)
        upstream = shared.caller if shared else None
        caller = await ModelCaller.create(settings.models, settings.limits, store, upstream=upstream)
        stack.push_async_callback(caller.close)
        images = shared.images_of(settings) if shared else ImageCache(images_folder(place))
        run = OpenRun(
            *(settings, caller, images, caller.budget, thread, place, store, dataset, time.monotonic()),
            examples=tuple(map(Example, dataset.examples)),
            weights=_weights(settings, dataset),
            memory=Memory(),
        )
        run.budget.reserve(2 * run.questions("test"))
        stack.enter_context(frozen_garbage())
        _CURRENT.set(run)
        try:
            yield run
        finally:
            _CURRENT.set(outer)
            keep_ended(place, EndedRun(dataset, run.memory))


def _weights(settings: Settings, dataset: Dataset) -> PanelWeights | None:
    if not learns_weights(settings):
        return None
    return PanelWeights(initial_prompts(settings)[0], dataset.splits["validation"])


@asynccontextmanager
async def run_of(runtime: Runtime[Settings]) -> AsyncIterator[OpenRun]:
    """Yield the open run of a node; without a holder, open the run for the node alone."""
    run = _held(runtime)
    if run is not None:
        yield run
        return
    settings, thread = settings_of(runtime), _thread(runtime)
    directory = run_directory(runtime)
    async with open_run(settings, store_place(settings, directory, thread or directory.name), thread=thread) as run:
        yield run


def settings_of(runtime: Runtime[Settings]) -> Settings:
    """Return the settings of the open run, else the graph's context, else all defaults."""
    run = _held(runtime)
    if run is not None:
        return run.settings
    context: Settings | None = runtime.context
    return Settings() if context is None else context


def run_directory(runtime: Runtime[Settings]) -> Path:
    """Return `run.dir`; null: a folder named after the thread, or after the settings without a thread."""
    settings = settings_of(runtime)
    if settings.run.dir is not None:
        return Path(settings.run.dir)
    return Path("runs") / (_thread(runtime) or f"{settings.run_name}-{config_hash(settings)[:12]}")


def _held(runtime: Runtime[Settings]) -> OpenRun | None:
    """Return the open run if the thread of the node is the thread of the run."""
    run = _CURRENT.get()
    return run if run is not None and run.thread == _thread(runtime) else None


def _thread(runtime: Runtime[Settings]) -> str | None:
    return runtime.execution_info.thread_id if runtime.execution_info else None


def _require_same(run: OpenRun, settings: Settings) -> None:
    if run.settings != settings:
        raise RunError(f"{run.place} is open with other settings; close that run first, or use its settings")


async def _open_store(place: StorePlace, shared: SharedModels | None) -> ResponseStore:
    if shared is not None and isinstance(place, TeamRun):
        raise ConfigError(
            "run.checkpoints: postgres shares answers between runs, and here each is charged for its own; take it out"
        )
    return await open_store(place)
