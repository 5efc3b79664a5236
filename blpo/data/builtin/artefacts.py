"""What the built-in sample does to its images: grading that means nothing, and artefacts of known strength."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy.ndimage import gaussian_filter

from blpo.data.scenes import Pixels

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Grade:
    """How an image is toned: nothing of it depends on the label."""

    brightness: float
    """Mean of the luma asked for."""
    contrast: float
    """Its standard deviation."""
    saturation: float
    """Factor."""
    warmth: float
    """Added to red, taken from blue."""


def drawn_grade(rng: Generator) -> Grade:
    """Draw what a general description mentions."""
    draws = ((0.48, 0.62), (0.20, 0.27), (0.5, 1.4), (-0.06, 0.06))
    brightness, contrast, saturation, warmth = (float(rng.uniform(low, high)) for low, high in draws)
    return Grade(brightness, contrast, saturation, warmth)


def graded(pixels: Pixels, grade: Grade) -> Pixels:
    """Apply a grade; no value comes near black or white, so that nothing is clipped by it."""
    luma = _luma(pixels)
    deviation = max(float(luma.std()), 0.02)
    light = grade.brightness + (luma - luma.mean()) * np.float32(grade.contrast / deviation)
    warm = np.array([1, 0, -1], dtype=np.float32) * np.float32(grade.warmth)
    mixed = light + (pixels - luma) * np.float32(grade.saturation) + warm
    return _floats(0.5 + 0.46 * np.tanh((mixed - 0.5) / 0.46))


def tone(pixels: Pixels) -> tuple[float, float]:
    """Mean and standard deviation of the luma, which lies in [0, 1]: what a grade calls brightness and contrast."""
    luma = _luma(pixels)
    return float(luma.mean()), float(luma.std())


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Gaussian blur; `sigma` in pixels."""
    return _floats(gaussian_filter(pixels, (sigma, sigma, 0)))


def noisy(pixels: Pixels, sigma: float, rng: Generator) -> Pixels:
    """Gaussian noise, the same in all channels plus a fifth as much in each; `sigma` in grey levels of 255."""
    height, width, _ = pixels.shape
    shared = rng.standard_normal((height, width, 1), dtype=np.float32)
    own = rng.standard_normal(pixels.shape, dtype=np.float32)
    return _floats(pixels + np.float32(sigma / 255) * (shared + own * np.float32(0.2)))


def clipped(pixels: Pixels, share: float) -> Pixels:
    """Blown highlights: that share of pixels turns pure white.

    What is darker than the middle and the colours of the rest stay as they are.
    """
    light = np.clip(pixels, 0, 1)
    luma = _luma(light)
    limit, middle = (float(value) for value in np.quantile(luma, (1 - share, 0.5)))
    # Lift what lies above the middle in a straight line, so that `limit` reaches 1.
    lifted = np.where(luma > middle, middle + (luma - middle) * ((1 - middle) / max(limit - middle, 0.01)), luma)
    fade = np.clip((1 - lifted) / 0.05, 0, 1)
    return _floats(np.clip(lifted + (light - luma) * fade, 0, 1))


def blocky(pixels: Pixels, quality: int) -> Pixels:
    """JPEG compression at a low quality (1 to 95), then decoded."""
    buffer = BytesIO()
    to_image(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return _floats(image) / np.float32(255)


def to_image(pixels: Pixels) -> Image.Image:
    """8-bit RGB."""
    return Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def _luma(pixels: Pixels) -> Pixels:
    return _floats(pixels @ _LUMA)[..., None]


def _floats(values: object) -> Pixels:
    floats: Pixels = np.asarray(values, dtype=np.float32)
    return floats
