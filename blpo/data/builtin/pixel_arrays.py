"""Arrays of pixels: shape (height, width, 3), float32, RGB in [0, 1]."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]

IMAGE_SIDE = 256
"""Width and height of an image of the built-in sample, in pixels."""

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def to_image(pixels: Pixels) -> Image.Image:
    """Return an 8-bit RGB image."""
    return Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def of_image(image: Image.Image) -> Pixels:
    """Return the pixels of an 8-bit RGB image."""
    return float32(image) / np.float32(255)


def luma_channel(pixels: Pixels) -> Pixels:
    """Return the luma, shape (height, width, 1)."""
    return float32(pixels @ _LUMA)[..., None]


def float32(values: object) -> Pixels:
    """Return values as a float32 array."""
    floats: Pixels = np.asarray(values, dtype=np.float32)
    return floats
