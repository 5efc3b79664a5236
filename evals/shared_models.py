"""Models shared by all cells: one response store, a limiter for each server, one place for spending money."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from blpo.inference.open_run import SharedModels
from blpo.models.calls import ModelCaller
from blpo.models.limiter import Limiters
from blpo.storage.response_store import ResponseStore
from state.settings import LimitSettings, ModelsSettings

STORE = "shared.sqlite"
"""Store of the real calls and costs over all cells."""
_IMAGES = "images"


async def make_shared_store(out: Path) -> None:
    """Make a missing store, before several processes open the store at once."""
    store = await ResponseStore.open(out / STORE)
    await store.close()


@asynccontextmanager
async def open_shared(
    out: Path, models: Iterable[ModelsSettings]
) -> AsyncIterator[Mapping[ModelsSettings, SharedModels]]:
    """Yield the shared models by model settings, for one event loop; raises `ModelError` for a bad model."""
    several = list(dict.fromkeys(models))
    async with AsyncExitStack() as stack:
        store = await ResponseStore.open(out / STORE)
        stack.push_async_callback(store.close)
        limiters = Limiters(each.of(role) for each in several for role in each.roles)
        shared = {}
        for each in several:
            calls = await ModelCaller.create(each, LimitSettings(), store, limiters=limiters)
            stack.push_async_callback(calls.close)
            shared[each] = SharedModels(calls, out / _IMAGES)
        yield shared
