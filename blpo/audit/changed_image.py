"""Images changed by a probe: re-encoded, resized, mirrored, degraded, or with words drawn on them."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from state.errors import DataError
from state.sample import ImageSource

_SIGMA = 0.02
"""Radius of the blur, as a share of the shorter side."""
_NOISE = 25.0
"""Standard deviation of the noise, of 255."""


@dataclass(frozen=True, slots=True)
class ChangedImage:
    """Image that is changed when it is read."""

    source: ImageSource
    change: Callable[[bytes], bytes]
    suffix: str
    """Name of the change."""

    @property
    def name(self) -> str:
        """Name of the image with the change."""
        return f"{self.source.name} ({self.suffix})"

    def read(self) -> bytes:
        """Return the bytes of the changed image; raises `DataError` for an image that can't be decoded."""
        data = self.source.read()
        try:
            return self.change(data)
        except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise DataError(f"{self.name}: can't be decoded ({error})") from None


def as_jpeg(data: bytes) -> bytes:
    """Return the image as JPEG of quality 75."""
    stream = BytesIO()
    _decoded(data).save(stream, "JPEG", quality=75)
    return stream.getvalue()


def smaller(data: bytes) -> bytes:
    """Return the image at 80 % of its width and height."""
    image = _decoded(data)
    return _png(image.resize((max(1, image.width * 4 // 5), max(1, image.height * 4 // 5)), Image.Resampling.LANCZOS))


def mirrored(data: bytes) -> bytes:
    """Return the image with left and right swapped."""
    return _png(ImageOps.mirror(_decoded(data)))


def blurred(data: bytes) -> bytes:
    """Return the image with a clearly visible blur."""
    image = _decoded(data)
    return _png(image.filter(ImageFilter.GaussianBlur(max(2.0, _SIGMA * min(image.size)))))


def noisy(data: bytes) -> bytes:
    """Return the image with clearly visible noise, the same at every call."""
    image = np.asarray(_decoded(data), dtype=np.float64)
    pixels = image + np.random.default_rng(0).normal(0, _NOISE, image.shape)
    return _png(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))


def with_words(words: str) -> Callable[[bytes], bytes]:
    """Return a change that writes words on a white bar at the bottom of the image."""

    def change(data: bytes) -> bytes:
        image = _decoded(data)
        height = max(12, image.height // 12)
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, image.height - height, image.width, image.height), fill="white")
        draw.text((height // 4, image.height - height), words, fill="black", font_size=height * 0.7)
        return _png(image)

    return change


def _decoded(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _png(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
