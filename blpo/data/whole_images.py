"""Image files that were decoded in full before, in the user's cache folder. A later run does not decode them again.

The folder holds a word for an image, in all at most about 130 MB on a disk with blocks of 4 kB.
"""

from hashlib import sha256
from pathlib import Path

from blpo.storage.user_cache import CachedFiles

_MODULES = ("heif_images", "image_conversion", "image_encoding", "images", "metadata", "png_chunks")
DECODER = tuple(Path(__file__).with_name(f"{name}.py") for name in _MODULES)
"""Source files that decode and encode images."""
_FILES = CachedFiles("images", DECODER, ("pillow",))


def image_key(data: bytes) -> bytes:
    """Return the key of a stored file, a hash of the content."""
    return sha256(data).digest()


def is_whole(key: bytes) -> bool:
    """Return true for a stored file that was decoded in full before."""
    return _FILES.read(key) == b"whole"


def keep_whole(key: bytes) -> None:
    """Keep that a stored file was decoded in full."""
    _FILES.write(key, b"whole")


def original_kind(name: str) -> str | None:
    """Return JPEG, PNG or WEBP for an image that is sent as stored; None for an image that is not known.

    `name` is a hash of the stored file and of the limits.
    """
    kind = _FILES.read(name.encode())
    return kind.decode("ascii") if kind else None


def keep_original(name: str, kind: str) -> None:
    """Keep that an image is whole, and sent as stored."""
    _FILES.write(name.encode(), kind.encode("ascii"))
