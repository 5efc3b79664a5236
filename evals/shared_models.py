"""The models below all cells: one response store, one limiter a server, one place where money is spent."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from blpo.inference.open_run import SharedModels
from blpo.models.calls import ModelCaller
from blpo.models.limiter import Limiters
from blpo.models.messages import ROLES
from blpo.storage.response_store import ResponseStore
from state.settings import LimitSettings, ModelsSettings

STORE = "shared.sqlite"
"""What was really asked and spent, over all cells."""
IMAGES = "images"


async def make_shared_store(out: Path) -> None:
    """Make the store where there is none: processes that make it at once would be in each other's way."""
    store = await ResponseStore.open(out / STORE)
    await store.close()


@asynccontextmanager
async def open_shared(
    out: Path, models: Iterable[ModelsSettings]
) -> AsyncIterator[Mapping[ModelsSettings, SharedModels]]:
    """What cells of each of these models share, for one event loop; raises `ModelError` for one that can't be built."""
    several = list(dict.fromkeys(models))
    async with AsyncExitStack() as stack:
        store = await ResponseStore.open(out / STORE)
        stack.push_async_callback(store.close)
        limiters = Limiters(each.of(role) for each in several for role in ROLES)
        shared = {}
        for each in several:
            calls = await ModelCaller.create(each, LimitSettings(), store, limiters=limiters)
            stack.push_async_callback(calls.close)
            shared[each] = SharedModels(calls, out / IMAGES)
        yield shared
