"""Measures of images in the user's cache folder, shared by all processes. The files only save time.

A file holds the values of an image, under a hash of the image and of the code that measures. So other code, or another
version of numpy, scipy or Pillow, never reads old values. A damaged file counts as missing. Without a folder that can
be written, images are measured again in every process.
"""

import platform
from array import array
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from blpo.models.embedded.vocabulary import ATTRIBUTES
from blpo.storage.user_cache import user_cache
from blpo.storage.whole_files import write_whole
from state.errors import StoreError

MOST_FILES = 128
"""Files in each of 256 folders: in all about 33,000 images, or 130 MB on a disk with blocks of 4 kB."""

_CODE = ("colour", "composition", "perception", "pixels", "scales", "spectrum", "texture", "vocabulary")
_NAMES = tuple(attribute.name for attribute in ATTRIBUTES)
_CHECKSUM = 32


def read_values(digest: bytes) -> dict[str, float] | None:
    """Return the values of the image with this SHA-256; None for an image without a sound file."""
    path = _path(digest)
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return None
    checksum, numbers = content[:_CHECKSUM], content[_CHECKSUM:]
    if checksum != sha256(path.name.encode() + numbers).digest():
        return None
    return dict(zip(_NAMES, array("d", numbers), strict=True))


def write_values(digest: bytes, values: Mapping[str, float]) -> None:
    """Keep the values of an image. A full folder loses its older half."""
    path = _path(digest)
    if path is None:
        return
    numbers = array("d", [values[name] for name in _NAMES]).tobytes()
    with suppress(OSError, StoreError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, sha256(path.name.encode() + numbers).digest() + numbers, durable=False)
        files = list(path.parent.iterdir())
        if len(files) > MOST_FILES:
            for file in sorted(files, key=lambda each: each.stat().st_mtime)[: len(files) // 2]:
                file.unlink()


def _path(digest: bytes) -> Path | None:
    folder, code = user_cache("perception"), _code_hash()
    name = sha256(code + digest).hexdigest() if code else ""
    return folder / name[:2] / name[2:] if folder and name else None


@cache
def _code_hash() -> bytes:
    """Return a hash of everything that determines the values but the image; empty if the code can't be read."""
    code = sha256(f"{platform.machine()} {[version(name) for name in ('numpy', 'scipy', 'pillow')]}".encode())
    try:
        for name in _CODE:
            code.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    except OSError:
        return b""
    return code.digest()
