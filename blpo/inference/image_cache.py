"""Images prepared once for a model and reused across prompts: a bounded memory cache over files.

Memory stays flat with the number of images: beyond the cache an image costs about 200 bytes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from blpo.data.image_file_cache import ImageFileCache
from state.sample import EncodedImage, ImageSource, Sample
from state.settings import ModelSettings

_Key = tuple[str, str, int, int, int]


class ImageCache:
    """Encoded images by (sample, position, pixel limits). The least recently used image goes first, and is read again.

    With `max_bytes` 0 no image stays in memory: for images sent only once.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = 128 * 2**20) -> None:
        self._files = ImageFileCache(folder, remember=max_bytes > 0)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._encoded: OrderedDict[_Key, EncodedImage] = OrderedDict()
        self._pending: dict[_Key, asyncio.Task[EncodedImage]] = {}
        self._threads = asyncio.Semaphore(2)

    async def of(self, sample: Sample, model: ModelSettings) -> tuple[EncodedImage, ...]:
        """Return the sample's images in the form for `model`; raises `DataError` for an unreadable image."""
        return await self._all(sample, sample.images, model)

    async def context_of(self, sample: Sample, model: ModelSettings) -> tuple[EncodedImage, ...]:
        """Return the images of the sample's context in the form for `model`; raises `DataError`."""
        return await self._all(sample, [source for _, source in sample.context], model, len(sample.images))

    async def _all(
        self, sample: Sample, sources: Sequence[ImageSource], model: ModelSettings, first: int = 0
    ) -> tuple[EncodedImage, ...]:
        return tuple([await self._one(sample, source, place, model) for place, source in enumerate(sources, first)])

    async def _one(self, sample: Sample, source: ImageSource, position: int, model: ModelSettings) -> EncodedImage:
        key = (sample.id, source.name, position, model.max_pixels, model.max_side)
        if key in self._encoded:
            self._encoded.move_to_end(key)
            return self._encoded[key]
        if key not in self._pending:
            self._pending[key] = asyncio.create_task(self._encode(key, source))
        return await self._pending[key]

    async def _encode(self, key: _Key, source: ImageSource) -> EncodedImage:
        try:
            async with self._threads:
                image = await asyncio.to_thread(self._files.encode, source, *key[-2:])
        finally:
            del self._pending[key]
        self._encoded[key] = image
        self._bytes += len(image.data_url)
        while self._bytes > self._max_bytes and len(self._encoded) > 1:
            _, dropped = self._encoded.popitem(last=False)
            self._bytes -= len(dropped.data_url)
        return image
