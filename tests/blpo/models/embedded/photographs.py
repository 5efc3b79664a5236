"""Photographs for tests."""

from functools import cache
from io import BytesIO

from PIL import Image
from sklearn.datasets import load_sample_image

SIDE = 256


@cache
def photograph(name: str = "china.jpg") -> Image.Image:
    """Return the middle of a photograph."""
    pixels = load_sample_image(name)
    y, x = ((side - SIDE) // 2 for side in pixels.shape[:2])
    return Image.fromarray(pixels[y : y + SIDE, x : x + SIDE])


def png(image: Image.Image) -> bytes:
    return encoded(image, "PNG")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
