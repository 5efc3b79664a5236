"""Measures of the finest structure, over pixels as stored."""

import math

import numpy as np
from scipy.ndimage import correlate1d, gaussian_filter

from blpo.models.embedded.pixels import Plane

_BLOCK = 8
_SMOOTHING = 7 / 6
_TAPS = np.exp(-0.5 * (np.arange(-3, 4) / _SMOOTHING) ** 2)
_TAPS /= _TAPS.sum()


def texture_measures(light: Plane) -> dict[str, float]:
    """Measure the luma at full resolution."""
    right, down = np.diff(light, axis=1), np.diff(light, axis=0)
    mean = _smoothed(light)
    return {
        "sharpness": _sharpness(right, down),
        "blur": _blur(mean),
        "noise": _noise(right),
        "blockiness": (_blockiness(np.abs(right)) + _blockiness(np.abs(down).T)) / 2,
        **_natural_scene(light, mean),
    }


def _sharpness(right: Plane, down: Plane) -> float:
    """Return the standard deviation of the Laplacian."""
    laplacian = right[1:-1, 1:] - right[1:-1, :-1] + down[1:, 1:-1] - down[:-1, 1:-1]
    return float(laplacian.std())


def _noise(right: Plane) -> float:
    """Return the standard deviation of the noise, in grey levels (Immerkaer, Fast noise variance estimation, 1996).

    A median instead of the mean excludes edges. Every third row is enough for a median.
    """
    bend = right[:, 1:] - right[:, :-1]
    curved = bend[:-2:3] - 2 * bend[1:-1:3] + bend[2::3]
    return float(np.median(np.abs(curved))) / 6 * 1.4826


def _blur(smoothed: Plane) -> float:
    """Return the width of the strongest edges, as the sigma of a Gaussian in pixels. Noise has little influence.

    Smoothing of an edge of width b by s and by 2 s lowers the slope. The ratio of the slopes depends on b / s alone
    (Zhuo and Sim, Defocus map estimation from a single image, 2011).
    """
    twice = gaussian_filter(smoothed, math.sqrt(3) * _SMOOTHING, truncate=2, mode="nearest")
    sharper, softer = _steepness(smoothed), _steepness(twice)
    strong = softer >= max(float(np.quantile(softer[::3, ::3], 0.95)), 0.1)
    if not strong.any():
        return 1.0
    ratio = float(np.median(softer[strong] / np.maximum(sharper[strong], 1e-3)))
    return _SMOOTHING * math.sqrt(min(max((4 * ratio - 1) / max(1 - ratio, 0.02), 0.0), 100.0))


def _steepness(light: Plane) -> Plane:
    """Return the squared length of the gradient, by central differences, without the outermost pixels."""
    right, down = light[1:-1, 2:] - light[1:-1, :-2], light[2:, 1:-1] - light[:-2, 1:-1]
    return right * right + down * down


def _blockiness(steps: Plane) -> float:
    """Return the excess of steps across borders of 8 x 8 blocks over steps inside blocks, as a share. May be negative.

    After Wang, Bovik and Evan, Blind measurement of blocking artifacts in images, 2000.
    """
    columns = steps.mean(axis=0)
    at_border = np.arange(len(columns)) % _BLOCK == _BLOCK - 1
    border, inside = float(columns[at_border].mean()), float(columns[~at_border].mean())
    return (border - inside) / (inside + 0.2)


def _natural_scene(light: Plane, mean: Plane) -> dict[str, float]:
    """Measure the locally normalised luma (MSCN; Mittal et al., No-reference image quality assessment, 2012)."""
    deviation = np.sqrt(np.maximum(_smoothed(light * light) - mean * mean, 0))
    normal = (light - mean) / (deviation + 1)
    square = normal * normal
    variance = float(square.mean()) + 1e-4
    pairs = (float((normal[:, 1:] * normal[:, :-1]).mean()) + float((normal[1:] * normal[:-1]).mean())) / 2
    return {
        "texture variance": variance,
        "texture skew": float((square * normal).mean()) / variance**1.5,
        "texture smoothness": pairs / variance,
        "texture unevenness": float(deviation.std()) / (float(deviation.mean()) + 0.2),
    }


def _smoothed(plane: Plane) -> Plane:
    columns: Plane = correlate1d(plane, _TAPS, axis=0, mode="nearest")
    smoothed: Plane = correlate1d(columns, _TAPS, axis=1, mode="nearest")
    return smoothed
