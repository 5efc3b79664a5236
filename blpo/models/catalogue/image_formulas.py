"""Input tokens of an image, by the published formulas of the model families of judges.

Tiles (OpenAI, detail high): fit the image into 2048 x 2048, scale the short side down to 768, then count base + tile
for each 512 px square. Patches (OpenAI's small and newer models): 32 px squares, at most 1536, times a factor. Qwen-VL:
round the sides to multiples of 28 px (Qwen2-VL, Qwen2.5-VL) or 32 px (Qwen3-VL), count a token a square, and add two.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class ImageFormula:
    """Formula of a model family."""

    words: str
    """The formula in words, for people."""
    tokens: Callable[[int, int], int]
    """Returns the tokens of an image of this width and height in pixels, as the image is sent."""


def formula_by_name(name: str) -> ImageFormula | None:
    """Return the formula of the model of a bare name; None if the family is not known."""
    return next((formula for pattern, formula in _FAMILIES if re.match(pattern, name, re.IGNORECASE)), None)


def _tiles(base: int, tile: int, width: int, height: int) -> int:
    scale = min(1.0, 2048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    across, down = (math.ceil(round(side * scale, 6) / 512) for side in (width, height))
    return base + tile * across * down


def _patches(factor: float, width: int, height: int) -> int:
    return math.ceil(min(math.ceil(width / 32) * math.ceil(height / 32), 1536) * factor)


def _squares(side: int, least: int, width: int, height: int) -> int:
    across, down = (max(1, round(length / side)) for length in (width, height))
    return max(least, across * down) + 2


def _by_area(width: int, height: int) -> int:
    return min(math.ceil(width * height / 784), 1536)


def _tiled(base: int, tile: int) -> ImageFormula:
    return ImageFormula(f"{base} + {tile} for each 512 px tile, short side at most 768 px", partial(_tiles, base, tile))


def _patched(factor: float) -> ImageFormula:
    return ImageFormula(f"{factor:g} for each 32 px patch, at most 1536 patches", partial(_patches, factor))


EMBEDDED_FORMULA = ImageFormula("a token for 784 pixels, at most 1536", _by_area)
ASSUMED_FORMULA = ImageFormula(
    "assumed: a token for 28 x 28 px; this model's own formula is not known", partial(_squares, 28, 4)
)
"""The formula of Qwen2.5-VL, for a model of an unknown family."""

_FAMILIES: tuple[tuple[str, ImageFormula], ...] = (
    (r"gpt-4o-mini", _tiled(2833, 5667)),
    (r"gpt-4\.1-mini", _patched(1.62)),
    (r"gpt-4\.1-nano", _patched(2.46)),
    (r"o4-mini", _patched(1.72)),
    (r"gpt-5-nano", _patched(1.5)),
    (r"gpt-5(?:\.\d)?-mini|gpt-5\.[2-9]", _patched(1.2)),
    (r"gpt-5", _tiled(70, 140)),
    (r"o[13](?:$|-)", _tiled(75, 150)),
    (r"gpt-4|chatgpt-4o", _tiled(85, 170)),
    (r"qwen2(?:\.5)?-(?:vl|omni)", ImageFormula("a token for 28 x 28 px, and 2", partial(_squares, 28, 4))),
    (r"qwen3-(?:vl|omni)", ImageFormula("a token for 32 x 32 px, at least 64, and 2", partial(_squares, 32, 64))),
)
"""Start of the model's name and formula; the first match holds."""
