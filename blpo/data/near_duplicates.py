"""Signatures of images: equal or close for copies of one image in another format, size or quality.

A signature has the signs of the 63 lowest frequencies of the brightness (a perceptual hash by the discrete cosine
transform, as in Zauner 2010), and the mean colour. Two images are near-duplicates if few signs differ and the colours
are close. A crop, or another photograph of the same scene, is another image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from blpo.data.image_conversion import upright_srgb
from blpo.data.image_encoding import image_error, open_image
from state.errors import DataError
from state.sample import ImageSource

_SIDE = 32
_LOW = 8
_MOST_SIGNS = 8
"""Most signs, of 63, that differ between near-duplicates."""
_MOST_COLOUR = 12.0
"""Largest difference of a mean colour between near-duplicates, of 255."""


def _cosines() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the lowest rows of the discrete cosine transform of `_SIDE` values."""
    frequencies, places = np.arange(_LOW)[:, None], np.arange(_SIDE)[None, :]
    return np.asarray(np.cos(np.pi / _SIDE * (places + 0.5) * frequencies))


_COSINES = _cosines()


@dataclass(frozen=True, slots=True)
class Signature:
    """Signature of an image."""

    signs: int
    """63 bits."""
    colour: tuple[float, float, float]
    """Mean red, green and blue, 0 to 255."""

    def is_near(self, other: "Signature") -> bool:
        """Return True for near-duplicates."""
        same_colour = all(abs(a - b) <= _MOST_COLOUR for a, b in zip(self.colour, other.colour, strict=True))
        return same_colour and (self.signs ^ other.signs).bit_count() <= _MOST_SIGNS


def signature_of(source: ImageSource) -> Signature:
    """Return the signature of an image; raises `DataError` for an image that can't be decoded."""
    data = source.read()
    try:
        with open_image(data) as image:
            image.draft("RGB", (4 * _SIDE, 4 * _SIDE))  # a JPEG is decoded small
            small = upright_srgb(image).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    except Exception as error:  # decoders fail on hostile bytes in every possible way
        raise DataError(f"{source.name}: {image_error(error)}") from error
    pixels = np.asarray(small, dtype=np.float64)
    spectrum = (_COSINES @ pixels.mean(axis=2) @ _COSINES.T).ravel()[1:]
    signs = int("".join("01"[int(above)] for above in spectrum > np.median(spectrum)), 2)
    red, green, blue = pixels.mean(axis=(0, 1))
    return Signature(signs, (float(red), float(green), float(blue)))


def are_near(one: Sequence[Signature], other: Sequence[Signature]) -> bool:
    """Return True if two samples have near-duplicates in the same places."""
    return len(one) == len(other) and all(a.is_near(b) for a, b in zip(one, other, strict=True))
