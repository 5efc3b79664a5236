"""Each image is prepared once for a model and reused across prompts, from a bounded memory cache."""

import asyncio
from collections import OrderedDict

from data.images import encode_image

from state.sample import EncodedImage, Sample
from state.settings import ModelSettings

_Key = tuple[str, int, int, int]


class ImageCache:
    """Encoded images by (sample, position, pixel limits); the least recently used go first."""

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._encoded: OrderedDict[_Key, EncodedImage] = OrderedDict()
        self._pending: dict[_Key, asyncio.Task[EncodedImage]] = {}
        self._threads = asyncio.Semaphore(2)

    async def of(self, sample: Sample, model: ModelSettings) -> tuple[EncodedImage, ...]:
        """The sample's images as they are sent to `model`; raises `DataError` naming one that can't be read."""
        return tuple([await self._one(sample, position, model) for position in range(len(sample.images))])

    async def _one(self, sample: Sample, position: int, model: ModelSettings) -> EncodedImage:
        key = (sample.id, position, model.max_pixels, model.max_side)
        if key in self._encoded:
            self._encoded.move_to_end(key)
            return self._encoded[key]
        if key not in self._pending:
            self._pending[key] = asyncio.create_task(self._encode(key, sample))
        return await self._pending[key]

    async def _encode(self, key: _Key, sample: Sample) -> EncodedImage:
        _, position, max_pixels, max_side = key
        try:
            async with self._threads:
                image = await asyncio.to_thread(encode_image, sample.images[position], max_pixels, max_side)
        finally:
            del self._pending[key]
        self._encoded[key] = image
        self._bytes += len(image.base64)
        while self._bytes > self._max_bytes and len(self._encoded) > 1:
            _, dropped = self._encoded.popitem(last=False)
            self._bytes -= len(dropped.base64)
        return image
