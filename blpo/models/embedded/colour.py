"""Measures of tone and colour, over the whole image."""

import numpy as np
import numpy.typing as npt

from blpo.models.embedded.pixels import Plane, RgbArray, luma

_STEP = 2
_HUES = 36
_VIVID = 0.2


def tone_measures(rgb: RgbArray) -> dict[str, float]:
    """Measure the luma, from 0 to 255."""
    counts = np.bincount(np.rint(luma(rgb)).astype(np.uint8).ravel(), minlength=256)
    share = counts / counts.sum()
    levels = np.arange(256)
    mean = float(share @ levels)
    coarse = share.reshape(64, 4).sum(axis=1)
    return {
        "brightness": mean,
        "contrast": float(np.sqrt(share @ (levels - mean) ** 2)),
        "entropy": _entropy(coarse),
        "shadow clipping": float(share[:6].sum()),
        "highlight clipping": float(share[250:].sum()),
    }


def colour_measures(rgb: RgbArray) -> dict[str, float]:
    """Measure colours in every second pixel of every second row."""
    red, green, blue = (rgb[::_STEP, ::_STEP, i].astype(np.float32) for i in range(3))
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    saturation: Plane = ((most - least) / np.maximum(most, 1)).astype(np.float32)
    hue = _hue(red, green, blue, most, most - least)
    return {
        "colourfulness": _colourfulness(red, green, blue),
        "warmth": float((red - blue).mean()),
        "green tint": float((green - (red + blue) / 2).mean()),
        "saturation": float(np.quantile(saturation, 0.9)),
        "colour clipping": float((least <= 1).mean()),
        "hue variety": _hue_variety(hue, most - least),
        **_shares(hue, saturation, most * np.float32(1 / 255)),
    }


def _colourfulness(red: Plane, green: Plane, blue: Plane) -> float:
    """Return the colourfulness after Hasler and Suesstrunk, Measuring colourfulness in natural images, 2003."""
    across, along = red - green, (red + green) / 2 - blue
    spread = np.hypot(across.std(), along.std())
    return float(spread + 0.3 * np.hypot(across.mean(), along.mean()))


def _hue(red: Plane, green: Plane, blue: Plane, most: Plane, chroma: Plane) -> Plane:
    """Return the hue from 0 (red) over 1/3 (green) and 2/3 (blue) to 1; 0 for grey."""
    safe = np.maximum(chroma, 1)
    sector = np.where(
        most == red, (green - blue) / safe, np.where(most == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    hue: Plane = (sector / 6 % 1).astype(np.float32)
    return hue


def _hue_variety(hue: Plane, chroma: Plane) -> float:
    """Return the entropy of the hues, weighted by chroma; 0 for a grey image."""
    bins = np.minimum((hue * _HUES).astype(np.intp), _HUES - 1)
    weights = np.bincount(bins.ravel(), chroma.ravel(), _HUES)
    return _entropy(weights / max(float(weights.sum()), 1.0))


def _shares(hue: Plane, saturation: Plane, value: Plane) -> dict[str, float]:
    vivid = (saturation > _VIVID) & (value > 0.15)
    shares = {
        "share of blue": vivid & (hue > 0.5) & (hue < 0.72),
        "share of green": vivid & (hue > 0.19) & (hue < 0.45),
        "share of skin tones": vivid & (hue < 0.11) & (saturation < 0.65) & (value > 0.35),
    }
    return {name: float(mask.mean()) for name, mask in shares.items()}


def _entropy(shares: npt.NDArray[np.floating]) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
