"""Each image is prepared once for a model and reused across prompts, from a bounded memory cache over files.

Memory stays flat with the number of images: beyond the cache there are about 200 bytes for each.
"""

import asyncio
from collections import OrderedDict
from pathlib import Path

from blpo.data.image_file_cache import ImageFileCache
from state.sample import EncodedImage, ImageSource, Sample
from state.settings import ModelSettings

_Key = tuple[str, str, int, int, int]


class ImageCache:
    """Encoded images by (sample, position, pixel limits); the least recently used go first, and are read again.

    With `max_bytes` 0 nothing of an image stays: for images that are each sent once.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = 128 * 2**20) -> None:
        self._files = ImageFileCache(folder, remember=max_bytes > 0)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._encoded: OrderedDict[_Key, EncodedImage] = OrderedDict()
        self._pending: dict[_Key, asyncio.Task[EncodedImage]] = {}
        self._threads = asyncio.Semaphore(2)

    async def of(self, sample: Sample, model: ModelSettings) -> tuple[EncodedImage, ...]:
        """The sample's images as they are sent to `model`; raises `DataError` naming one that can't be read."""
        return tuple([await self._one(sample, position, model) for position in range(len(sample.images))])

    async def _one(self, sample: Sample, position: int, model: ModelSettings) -> EncodedImage:
        source = sample.images[position]
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
