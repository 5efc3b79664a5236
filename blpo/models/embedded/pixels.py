"""Encoded bytes of an image as the arrays that are measured."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from state.errors import DataError

Bytes = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

MAX_SIDE = 512
"""Longest side of what is measured, in pixels."""
MIN_SIDE = 16
"""Smaller images are continued by their edge up to this side."""
_GRID = 8
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image, 8-bit RGB of shape (height, width, 3): the whole of it, and its centre as it was stored."""

    whole: Bytes
    """Everything, scaled down by area to at most MAX_SIDE a side."""
    centre: Bytes
    """Pixels as stored, at most MAX_SIDE a side, cut where the stored grid of 8 x 8 blocks begins: scaling would hide
    noise, blocks and fine detail."""


def decode(data: bytes) -> Pixels:
    """Decode JPEG, PNG, WebP and whatever else Pillow reads; what is transparent becomes white.

    Raises `DataError` where the bytes can't be decoded.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            rgb = _flattened(image)
    except Exception as error:  # decoders fail on damaged bytes in every way there is
        kind = type(error).__name__
        raise DataError(f"an image of {len(data)} bytes can't be decoded ({kind}); replace it") from error
    whole = _scaled(rgb)
    return Pixels(_padded(whole), _padded(whole if whole is rgb else rgb.crop(_centre(*rgb.size))))


def luma(rgb: Bytes) -> Plane:
    """Rec. 601 luma from 0 to 255."""
    plane: Plane = rgb.astype(np.float32) @ _LUMA
    return plane


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        image.load()
        return image.copy()
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _scaled(rgb: Image.Image) -> Image.Image:
    longest = max(rgb.size)
    if longest <= MAX_SIDE:
        return rgb
    width, height = (max(1, round(side * MAX_SIDE / longest)) for side in rgb.size)
    return rgb.resize((width, height), Image.Resampling.BOX)


def _centre(width: int, height: int) -> tuple[int, int, int, int]:
    left, top = (max(0, side - MAX_SIDE) // 2 // _GRID * _GRID for side in (width, height))
    return left, top, min(width, left + MAX_SIDE), min(height, top + MAX_SIDE)


def _padded(image: Image.Image) -> Bytes:
    rgb: Bytes = np.asarray(image)
    short = [max(0, MIN_SIDE - side) for side in rgb.shape[:2]]
    return np.pad(rgb, ((0, short[0]), (0, short[1]), (0, 0)), mode="edge") if any(short) else rgb
