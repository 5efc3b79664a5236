"""Measures of edges and composition, over the whole image."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from blpo.models.embedded.pixels import Plane

_SIDE = 64
_EDGE = 15.0
_FLAT = 1.0
_PATCH = 16
_COHERENCE_SCALE = 1.5


def composition_measures(light: Plane) -> dict[str, float]:
    """Measure the luma of the whole image."""
    right, down = _gradients(light)
    strength = np.hypot(right, down)
    return {
        "edge density": float((strength > _EDGE).mean()),
        "flat area": float((strength < _FLAT).mean()),
        "local contrast": _local_contrast(light),
        "edge coherence": _coherence(right[::2, ::2], down[::2, ::2]),
        **_composition(_small(light), _small(strength)),
    }


def _gradients(light: Plane) -> tuple[Plane, Plane]:
    """Return central differences to the right and down, in grey levels per pixel."""
    right: Plane = (light[1:-1, 2:] - light[1:-1, :-2]) * np.float32(0.5)
    down: Plane = (light[2:, 1:-1] - light[:-2, 1:-1]) * np.float32(0.5)
    return right, down


def _local_contrast(light: Plane) -> float:
    """Return the mean standard deviation within patches of 16 x 16 pixels."""
    rows, columns = (side // _PATCH for side in light.shape)
    patches = light[: rows * _PATCH, : columns * _PATCH].reshape(rows, _PATCH, columns, _PATCH)
    return float(patches.std(axis=(1, 3)).mean())


def _coherence(right: Plane, down: Plane) -> float:
    """Return the agreement of neighbouring gradients (structure tensor), weighted by their strength; 0 to 1."""
    xx, yy, xy = (
        gaussian_filter(product, _COHERENCE_SCALE, truncate=2) for product in (right * right, down * down, right * down)
    )
    agreement = np.hypot(xx - yy, 2 * xy)
    return float(agreement.sum() / (xx.sum() + yy.sum() + len(xx)))


def _small(plane: Plane) -> Plane:
    return np.asarray(Image.fromarray(plane).resize((_SIDE, _SIDE), Image.Resampling.BOX))


def _composition(light: Plane, strength: Plane) -> dict[str, float]:
    axis = np.abs(np.linspace(-1, 1, _SIDE))
    ring = np.maximum(axis[:, None], axis[None])
    centre, border = ring < 0.5, ring > 0.8
    return {
        "symmetry": _correlation(light, light[:, ::-1]),
        "focus on the centre": float(np.log((strength[centre].mean() + 0.3) / (strength[border].mean() + 0.3))),
        "light from above": float(light[: _SIDE // 3].mean() - light[-(_SIDE // 3) :].mean()),
    }


def _correlation(first: Plane, second: Plane) -> float:
    """Return Pearson's correlation; 1 for planes without structure."""
    first, second = first - first.mean(), second - second.mean()
    return float(((first * second).mean() + 1) / (np.sqrt((first * first).mean() * (second * second).mean()) + 1))
