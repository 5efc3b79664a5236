"""Open models, ready to be asked about samples.

The judge at work on new images, the nodes of a run and the report of a finished run ask through the same functions:
`judge_samples`, `describe_samples` and `consult` take an `OpenModels`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blpo.inference.garbage import frozen_garbage
from blpo.inference.image_cache import ImageCache
from blpo.inference.panel_weights import PanelWeights
from blpo.inference.recent_answers import NO_MEMORY, Memory
from blpo.inference.run_store import StorePlace, images_folder, open_store_to_read
from blpo.models.budget import Budget
from blpo.models.caller import Caller
from blpo.models.calls import ModelCaller
from blpo.models.messages import Role
from blpo.models.recall import Recall
from blpo.storage.counting_store import CountingStore
from blpo.storage.response_store import ResponseStore
from blpo.storage.sqlite_connection import TEMPORARY
from state.sample import Example
from state.settings import LimitSettings, Settings


@dataclass(frozen=True, slots=True)
class OpenModels:
    """Models of the three roles, ready to be asked about samples."""

    settings: Settings
    caller: Caller
    images: ImageCache
    budget: Budget
    """Budget over all roles."""
    examples: tuple[Example, ...] = field(default=(), kw_only=True)
    """Labelled examples that the judge is shown, of all tasks."""
    example_images: ImageCache | None = field(default=None, kw_only=True)
    """Images of the examples, where `images` keeps none in memory."""
    weights: PanelWeights | None = field(default=None, kw_only=True)
    """Weights of a panel, for a run that learns them."""
    memory: Memory = field(default=NO_MEMORY, kw_only=True)
    """Last answers, for a run."""

    def width(self, role: Role) -> int:
        """Return the number of samples to work on at once: enough to keep the models of `role` busy."""
        models = self.settings.models
        roles = models.judge_roles if role == "judge" else (role,)
        return 2 * max(models.of(each).max_concurrency for each in roles)


@asynccontextmanager
async def open_models(
    settings: Settings, store: Path | None = None, examples: tuple[Example, ...] = (), *, keeps_answers: bool = True
) -> AsyncIterator[OpenModels]:
    """Open the models of `settings` to judge new images, every image once: no image but examples stays in memory.

    Answers go to the response store `store`; None: to a temporary store, or, unless `keeps_answers`, to none. Raises
    `ModelError`, `ConfigError` and `RunError`.
    """
    answers = await (ResponseStore.open(store or TEMPORARY) if keeps_answers else CountingStore.open(":memory:"))
    try:
        caller = await ModelCaller.create(settings.models, settings.limits, answers)
        try:
            with frozen_garbage():
                fields = (settings, caller, ImageCache(max_bytes=0), caller.budget)
                yield OpenModels(*fields, examples=examples, example_images=ImageCache() if examples else None)
        finally:
            await caller.close()
    finally:
        await answers.close()


@asynccontextmanager
async def open_recall(
    settings: Settings, place: StorePlace, examples: tuple[Example, ...] = (), memory: Memory = NO_MEMORY
) -> AsyncIterator[OpenModels]:
    """Open the models of a run to answer from `memory` and the run's response store alone; nothing in the run changes.

    `memory` holds the last answers of a run of this process. A request without a recorded answer is a failure. Raises
    `RunError` for a missing store, and `ModelError`.
    """
    answers = await open_store_to_read(place)
    try:
        folder = images_folder(place)
        images = ImageCache(folder if folder.is_dir() else None)
        recall = Recall(settings.models, answers)
        yield OpenModels(settings, recall, images, Budget(LimitSettings()), examples=examples, memory=memory)
    finally:
        await answers.close()
