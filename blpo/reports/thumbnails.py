"""Small pictures for a page, as `data:` URLs, within a bound on their bytes together."""

from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image

from blpo.data.images import encode_stored_file
from state.errors import DataError
from state.sample import Sample

SIDE = 256
"""Longer side of a thumbnail, in pixels."""
MOST_BYTES = 9_500_000
"""Of all thumbnails of one size on a page together, before base64 makes four of three."""
_LARGEST = 40_000
_QUALITIES = (80, 65, 50, 35, 20)


def thumbnails(samples: Iterable[Sample], side: int = SIDE, most_bytes: int = MOST_BYTES) -> dict[str, tuple[str, ...]]:
    """A `data:` URL for each image of each sample, by sample id; a sample whose images can't be read is left out."""
    samples = list(samples)
    images = sum(len(sample.images) for sample in samples)
    bound = min(_LARGEST, most_bytes // max(images, 1))
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda sample: _of_sample(sample, side, bound), samples)
        return {sample.id: urls for sample, urls in zip(samples, made, strict=True) if urls}


def _of_sample(sample: Sample, side: int, bound: int) -> tuple[str, ...]:
    try:
        return tuple(_data_url(_small(source.read(), source.name, side), bound) for source in sample.images)
    except DataError:
        return ()


def _small(data: bytes, name: str, side: int) -> Image.Image:
    """Upright, on white, in sRGB, as the judge is shown it."""
    with Image.open(BytesIO(encode_stored_file(data, name, side * side, side).data)) as image:
        return image.convert("RGB")


def _data_url(image: Image.Image, bound: int) -> str:
    return f"data:image/webp;base64,{b64encode(_encoded(image, bound)).decode('ascii')}"


def _encoded(image: Image.Image, bound: int) -> bytes:
    """WebP of at most `bound` bytes: of lower quality first, then smaller; a tiny one is taken as it comes."""
    for quality in _QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=2)
        if buffer.tell() <= bound:
            return buffer.getvalue()
    if max(image.size) <= 16:
        return buffer.getvalue()
    return _encoded(image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4))), bound)
