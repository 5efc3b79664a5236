"""At most so many calls in flight, for each served model."""

import asyncio
from collections.abc import Iterable

from state.settings import ModelSettings


class Limiters:
    """One semaphore for each model (name and address), shared by the roles that use it.

    Where they disagree on `max_concurrency`, the smaller one holds. A call keeps its place while it waits to be tried
    again, so that a server in trouble is not asked by others in the meantime.
    """

    def __init__(self, models: Iterable[ModelSettings]) -> None:
        sizes: dict[tuple[str, str | None], int] = {}
        for settings in models:
            served = _served(settings)
            sizes[served] = min(settings.max_concurrency, sizes.get(served, settings.max_concurrency))
        self._semaphores = {served: asyncio.Semaphore(size) for served, size in sizes.items()}

    def of(self, settings: ModelSettings) -> asyncio.Semaphore:
        """The semaphore of the model; it is one of those given at construction."""
        return self._semaphores[_served(settings)]


def _served(settings: ModelSettings) -> tuple[str, str | None]:
    return settings.name, settings.base_url
