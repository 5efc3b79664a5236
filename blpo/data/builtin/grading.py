"""Grading of drawn images: brightness, contrast and colours, independent of the label."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from blpo.data.builtin.pixel_arrays import Pixels, float32, luma_channel

_RANGES = ((0.48, 0.62), (0.20, 0.27), (0.5, 1.4), (-0.06, 0.06))
"""Ranges of brightness, contrast, saturation and warmth."""


@dataclass(frozen=True, slots=True)
class Grade:
    """Tone of an image."""

    brightness: float
    """Mean of the luma."""
    contrast: float
    """Standard deviation of the luma."""
    saturation: float
    """Factor."""
    warmth: float
    """Added to red and subtracted from blue."""


def random_grade(rng: Generator) -> Grade:
    """Draw the properties that a general description mentions."""
    brightness, contrast, saturation, warmth = (float(rng.uniform(low, high)) for low, high in _RANGES)
    return Grade(brightness, contrast, saturation, warmth)


def graded(pixels: Pixels, grade: Grade) -> Pixels:
    """Apply a grade. No value comes near black or white, so that the grade clips nothing."""
    light = luma_channel(pixels)
    deviation = max(float(light.std()), 0.02)
    toned = grade.brightness + (light - light.mean()) * np.float32(grade.contrast / deviation)
    warm = np.array([1, 0, -1], dtype=np.float32) * np.float32(grade.warmth)
    mixed = toned + (pixels - light) * np.float32(grade.saturation) + warm
    return float32(0.5 + 0.46 * np.tanh((mixed - 0.5) / 0.46))


def luma_statistics(pixels: Pixels) -> tuple[float, float]:
    """Return mean and standard deviation of the luma in [0, 1]: brightness and contrast of a `Grade`."""
    light = luma_channel(pixels)
    return float(light.mean()), float(light.std())
