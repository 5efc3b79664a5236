"""Small pictures for a page, as `data:` URLs, with a limit on the bytes of all pictures.

The pictures are kept in the user's cache folder, in all at most about 160 MB. A later page does not make them again.
"""

from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from PIL import Image

from blpo.data.images import encode_stored_file
from blpo.data.whole_images import DECODER, image_key
from blpo.storage.user_cache import CachedFiles
from state.errors import DataError
from state.sample import ImageSource, Sample

THUMBNAIL_SIDE = 256
"""Longer side of a thumbnail, in pixels."""
THUMBNAIL_BYTES = 9_500_000
"""Bytes of all equal-sized thumbnails on a page, before base64 adds a third."""
_LARGEST = 40_000
_QUALITIES = (80, 65, 50, 35, 20)
_FILES = CachedFiles("thumbnails", (Path(__file__), *DECODER), ("pillow",), most_files=16)
"""WebP files by the stored file, the side and the limit on bytes."""


def thumbnails(
    samples: Iterable[Sample], side: int = THUMBNAIL_SIDE, most_bytes: int = THUMBNAIL_BYTES
) -> dict[str, tuple[str, ...]]:
    """Return `data:` URLs by sample id, of the context last; leaves out a sample with an unreadable image."""
    samples = list(samples)
    images = sum(len(sample.all_images) for sample in samples)
    bound = min(_LARGEST, most_bytes // max(images, 1))
    with ThreadPoolExecutor(2) as pool:
        urls_by_sample = pool.map(lambda sample: _of_sample(sample, side, bound), samples)
        return {sample.id: urls for sample, urls in zip(samples, urls_by_sample, strict=True) if urls}


def _of_sample(sample: Sample, side: int, bound: int) -> tuple[str, ...]:
    try:
        return tuple(_data_url(_cached(source, side, bound)) for source in sample.all_images)
    except DataError:
        return ()


def _cached(source: ImageSource, side: int, bound: int) -> bytes:
    data = source.read()
    key = image_key(data) + f" {side} {bound}".encode()
    picture = _FILES.read(key)
    if picture is None:
        picture = _encoded(_small(data, source.name, side), bound)
        _FILES.write(key, picture)
    return picture


def _small(data: bytes, name: str, side: int) -> Image.Image:
    """Return the image upright, on white, in sRGB: the judge's view."""
    with Image.open(BytesIO(encode_stored_file(data, name, side * side, side).data)) as image:
        return image.convert("RGB")


def _data_url(picture: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(picture).decode('ascii')}"


def _encoded(image: Image.Image, bound: int) -> bytes:
    """Return WebP of at most `bound` bytes: quality falls first, then size; a tiny picture may exceed the bound."""
    for quality in _QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=2)
        if buffer.tell() <= bound:
            return buffer.getvalue()
    if max(image.size) <= 16:
        return buffer.getvalue()
    return _encoded(image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4))), bound)
