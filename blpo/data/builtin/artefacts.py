"""Artefacts of known strength, for drawn images."""

from io import BytesIO

import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy.ndimage import gaussian_filter

from blpo.data.builtin.pixel_arrays import Pixels, float32, luma_channel, of_image, to_image


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Apply a Gaussian blur; `sigma` in pixels."""
    return float32(gaussian_filter(pixels, (sigma, sigma, 0)))


def noisy(pixels: Pixels, sigma: float, rng: Generator) -> Pixels:
    """Add Gaussian noise; `sigma` in grey levels of 255. All channels share the noise, but for a fifth of sigma."""
    height, width, _ = pixels.shape
    grey = rng.standard_normal((height, width, 1), dtype=np.float32)
    colour = rng.standard_normal(pixels.shape, dtype=np.float32)
    return float32(pixels + np.float32(sigma / 255) * (grey + colour * np.float32(0.2)))


def clipped(pixels: Pixels, share: float) -> Pixels:
    """Blow the highlights: `share` of the pixels turn pure white.

    Pixels darker than the median, and the colours of the remaining pixels, stay.
    """
    colours = np.clip(pixels, 0, 1)
    light = luma_channel(colours)
    limit, middle = (float(value) for value in np.quantile(light, (1 - share, 0.5)))
    # Stretch the luma above the median in a straight line, so that `limit` reaches 1.
    raised = np.where(light > middle, middle + (light - middle) * ((1 - middle) / max(limit - middle, 0.01)), light)
    fade = np.clip((1 - raised) / 0.05, 0, 1)
    return float32(np.clip(raised + (colours - light) * fade, 0, 1))


def blocky(pixels: Pixels, quality: int) -> Pixels:
    """Compress as JPEG at a low quality (1 to 95), and decode."""
    buffer = BytesIO()
    to_image(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return of_image(image)
