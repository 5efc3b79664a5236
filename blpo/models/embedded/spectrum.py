"""How the power of luma falls with frequency, over pixels as they were stored."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from blpo.models.embedded.pixels import Plane

Curve = npt.NDArray[np.float64]

_RINGS = 128
_LEAST_SIDE = 64
_ROUNDING = 0.1
"""Power of the rounding to whole grey levels (1/12) and a little more: smooth images must not seem finely detailed."""
_SMOOTHEST = 5
"""A faint spectrum is added, which falls with this power of the frequency from 0.125 on: what a blank image gets."""


def spectrum(light: Plane) -> dict[str, float]:
    """Slopes on log-log axes, frequencies in cycles a pixel; natural images fall by 2 to 3 all along.

    The window weighs the middle of the image most. Twofold enlargement cuts at 0.25: there an image that was enlarged,
    or made by a decoder that paints too little, falls faster than before.
    """
    frequency, power = _radial_power(_at_least(light, _LEAST_SIDE))
    seen = np.maximum(power - _ROUNDING, 0) + (0.25 / np.maximum(frequency, 0.125)) ** _SMOOTHEST
    x, y = np.log(frequency), np.log(seen)
    coarse = _line(x, y, 0.03, 0.2)
    fine = _line(x, y, 0.22, 0.36)
    whole = _line(x, y, 0.02, 0.5)
    return {
        "fine detail": fine[0],
        "spectral slope": whole[0],
        "spectral bend": fine[0] - coarse[0],
        "spectral residual": float(np.std(y - np.polyval(whole, x))),
    }


def _line(x: Curve, y: Curve, low: float, high: float) -> tuple[float, float]:
    inside = (x >= np.log(low)) & (x < np.log(high))
    slope, offset = np.polyfit(x[inside], y[inside], 1)
    return float(slope), float(offset)


def _radial_power(light: Plane) -> tuple[Curve, Curve]:
    """Frequencies up to 0.5 and the mean power of all directions there."""
    height, width = light.shape
    window, rings = _geometry(height, width)
    coefficients = fft.rfft2((light - light.mean()) * window)
    power = np.bincount(rings, (coefficients.real**2 + coefficients.imag**2).ravel(), _RINGS + 1)
    count = np.bincount(rings, minlength=_RINGS + 1)
    used = np.flatnonzero(count[: _RINGS // 2 + 1])[1:]
    return used / _RINGS, power[used] / count[used] / float(np.square(window).sum())


@lru_cache(maxsize=16)
def _geometry(height: int, width: int) -> tuple[Plane, npt.NDArray[np.intp]]:
    """Hann window, and for each coefficient its ring; rings are 1/128 cycle a pixel wide."""
    down, across = (np.hanning(side + 2)[1:-1].astype(np.float32) for side in (height, width))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    return down[:, None] * across[None], np.minimum(np.rint(radius * _RINGS), _RINGS).astype(np.intp).ravel()


def _at_least(light: Plane, side: int) -> Plane:
    short = [max(0, side - each) for each in light.shape]
    return np.pad(light, ((0, short[0]), (0, short[1])), mode="symmetric") if any(short) else light
