"""Fall of the luma's power with frequency, over pixels as stored."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from blpo.models.embedded.pixels import Plane

_Curve = npt.NDArray[np.float64]

_RINGS = 128
_MIN_SIDE = 64
_ROUNDING_POWER = 0.1
"""Power of the rounding to whole grey levels (1/12) and a little more: smooth images must not seem finely detailed."""
_BLANK_EXPONENT = 5
"""Exponent of a faint spectrum that is added from frequency 0.125 on: the spectrum of a blank image."""


def spectrum_measures(light: Plane) -> dict[str, float]:
    """Measure slopes on log-log axes. Frequencies in cycles per pixel; the slope of natural images is -2 to -3.

    The window weighs the middle of the image most. Enlargement by two cuts the spectrum at 0.25. From 0.25 on, the
    spectrum of an enlarged image, or of a decoder that paints too little detail, falls faster.
    """
    frequency, power = _radial_power(_at_least(light, _MIN_SIDE))
    corrected = np.maximum(power - _ROUNDING_POWER, 0) + (0.25 / np.maximum(frequency, 0.125)) ** _BLANK_EXPONENT
    x, y = np.log(frequency), np.log(corrected)
    coarse = _fitted_line(x, y, 0.03, 0.2)
    fine = _fitted_line(x, y, 0.22, 0.36)
    whole = _fitted_line(x, y, 0.02, 0.5)
    return {
        "fine detail": fine[0],
        "spectral slope": whole[0],
        "spectral bend": fine[0] - coarse[0],
        "spectral residual": float(np.std(y - np.polyval(whole, x))),
    }


def _fitted_line(x: _Curve, y: _Curve, low: float, high: float) -> tuple[float, float]:
    inside = (x >= np.log(low)) & (x < np.log(high))
    slope, offset = np.polyfit(x[inside], y[inside], 1)
    return float(slope), float(offset)


def _radial_power(light: Plane) -> tuple[_Curve, _Curve]:
    """Return frequencies up to 0.5, and the mean power over all directions."""
    height, width = light.shape
    window, rings = _geometry(height, width)
    coefficients = fft.rfft2((light - light.mean()) * window)
    power = np.bincount(rings, (coefficients.real**2 + coefficients.imag**2).ravel(), _RINGS + 1)
    count = np.bincount(rings, minlength=_RINGS + 1)
    filled = np.flatnonzero(count[: _RINGS // 2 + 1])[1:]
    return filled / _RINGS, power[filled] / count[filled] / float(np.square(window).sum())


@lru_cache(maxsize=16)
def _geometry(height: int, width: int) -> tuple[Plane, npt.NDArray[np.intp]]:
    """Return the Hann window, and the ring of every coefficient. The width of a ring is 1/128 cycle per pixel."""
    down, across = (np.hanning(side + 2)[1:-1].astype(np.float32) for side in (height, width))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    return down[:, None] * across[None], np.minimum(np.rint(radius * _RINGS), _RINGS).astype(np.intp).ravel()


def _at_least(light: Plane, side: int) -> Plane:
    short = [max(0, side - length) for length in light.shape]
    return np.pad(light, ((0, short[0]), (0, short[1])), mode="symmetric") if any(short) else light
