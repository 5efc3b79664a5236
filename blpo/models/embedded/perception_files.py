"""Measures of images in the user's cache folder, in all at most about 130 MB on a disk with blocks of 4 kB."""

from array import array
from collections.abc import Mapping
from pathlib import Path

from blpo.models.embedded.vocabulary import ATTRIBUTES
from blpo.storage.user_cache import CachedFiles

_MODULES = ("colour", "composition", "perception", "pixels", "scales", "spectrum", "texture", "vocabulary")
_NAMES = tuple(attribute.name for attribute in ATTRIBUTES)

FILES = CachedFiles("perception", tuple(Path(__file__).with_name(f"{name}.py") for name in _MODULES))
"""Values by the SHA-256 of an image."""


def read_kept_values(digest: bytes) -> dict[str, float] | None:
    """Return the values of the image with this SHA-256; None for an image without a sound file."""
    numbers = FILES.read(digest)
    return None if numbers is None else dict(zip(_NAMES, array("d", numbers), strict=True))


def write_values(digest: bytes, values: Mapping[str, float]) -> None:
    """Keep the values of an image."""
    FILES.write(digest, array("d", [values[name] for name in _NAMES]).tobytes())
