"""Crops of the two photographs packaged with scikit-learn.

A photograph is cut into regions that share no pixel. A crop lies within a region. The crops of a region are a group, so
that crops in two splits share no pixel either. No region lies in the sky or the background: such parts have no detail,
and so do not show blur.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from blpo.data.builtin.pixel_arrays import IMAGE_SIDE, Pixels, of_image

_LEAST_SIDE = 170
"""Smallest side of a crop, in pixels of the photograph."""


@dataclass(frozen=True, slots=True)
class Region:
    """Square of a photograph, in pixels."""

    photograph: str
    x: int
    """Left edge."""
    y: int
    """Top edge."""
    side: int


REGIONS: Mapping[str, Region] = {
    "china-1": Region("china", 108, 16, 197),
    "china-2": Region("china", 0, 213, 213),
    "china-3": Region("china", 213, 213, 213),
    "china-4": Region("china", 426, 213, 213),
    "flower-1": Region("flower", 107, 20, 200),
    "flower-2": Region("flower", 307, 20, 200),
    "flower-3": Region("flower", 107, 220, 200),
    "flower-4": Region("flower", 307, 220, 200),
}


def crop(region: Region, rng: Generator) -> Pixels:
    """Return a random square of a region, scaled to the size of an image. Half of the squares are mirrored."""
    side = int(rng.integers(_LEAST_SIDE, region.side + 1))
    y, x = (start + int(rng.integers(0, region.side - side + 1)) for start in (region.y, region.x))
    square = _packaged(region.photograph)[y : y + side, x : x + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    image = Image.fromarray(np.ascontiguousarray(square))
    return of_image(image.resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.LANCZOS))


@cache
def _packaged(name: str) -> NDArray[np.uint8]:
    from sklearn.datasets import load_sample_image

    pixels: NDArray[np.uint8] = load_sample_image(f"{name}.jpg")
    return pixels
