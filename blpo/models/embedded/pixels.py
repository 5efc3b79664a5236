"""Arrays of pixels for the measures, from the encoded bytes of an image."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from state.errors import DataError

RgbArray = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

MAX_MEASURED_SIDE = 512
"""Maximum side of the measured arrays, in pixels."""
MIN_MEASURED_SIDE = 16
"""Minimum side. A smaller image is extended by repeating the pixels of its edge."""
_GRID = 8
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class MeasuredPixels:
    """Image as 8-bit RGB of shape (height, width, 3): the whole image scaled down, and the centre as stored."""

    whole: RgbArray
    """Whole image, scaled down by area to at most MAX_MEASURED_SIDE."""
    centre: RgbArray
    """Pixels as stored, at most MAX_MEASURED_SIDE, cut at the stored grid of 8 x 8 blocks.

    Scaling would hide noise, blocks and fine detail.
    """


def decode_image(data: bytes) -> MeasuredPixels:
    """Decode JPEG, PNG, WebP and all other formats of Pillow. Transparent parts become white.

    Raises `DataError` for bytes that can't be decoded.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            rgb = _flattened(image)
    except Exception as error:  # decoders fail on damaged bytes in every possible way
        kind = type(error).__name__
        raise DataError(f"an image of {len(data)} bytes can't be decoded ({kind}); replace it") from error
    whole = _scaled(rgb)
    return MeasuredPixels(_padded(whole), _padded(whole if whole is rgb else rgb.crop(_centre(*rgb.size))))


def luma(rgb: RgbArray) -> Plane:
    """Return the Rec. 601 luma from 0 to 255."""
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
    if longest <= MAX_MEASURED_SIDE:
        return rgb
    width, height = (max(1, round(side * MAX_MEASURED_SIDE / longest)) for side in rgb.size)
    return rgb.resize((width, height), Image.Resampling.BOX)


def _centre(width: int, height: int) -> tuple[int, int, int, int]:
    x, y = (max(0, side - MAX_MEASURED_SIDE) // 2 // _GRID * _GRID for side in (width, height))
    return x, y, min(width, x + MAX_MEASURED_SIDE), min(height, y + MAX_MEASURED_SIDE)


def _padded(image: Image.Image) -> RgbArray:
    rgb: RgbArray = np.asarray(image)
    short = [max(0, MIN_MEASURED_SIDE - side) for side in rgb.shape[:2]]
    return np.pad(rgb, ((0, short[0]), (0, short[1]), (0, 0)), mode="edge") if any(short) else rgb
