"""Copies of a set's images in a dataset folder."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path

from blpo.data.images import decoded_format
from blpo.data.public.public_set import Record
from state.errors import DataError
from state.sample import ImageSource

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "JPEG2000": ".jp2"}
"""By format. For other formats the suffix is the name of the format."""


class ImageFolder:
    """Folder images/ of a dataset. Images are copied unchanged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # By the identity of the source: pairs of a prompt share images.
        self._copies: dict[int, _Copy] = {}

    def write(self, record: Record) -> list[str]:
        """Decode a record's images in full, copy every image once, and return the paths in the folder.

        The path of an image before the edit is the last path. Raises `DataError` for an image that can't be read or
        decoded, and for a pair of equal images.
        """
        copies = [self._copy(*part) for part in zip(record.images, record.names or (record.id,), strict=True)]
        if len({copy.digest for copy in copies}) < len(copies):
            raise DataError(f"{record.place}: both images of the pair are the same")
        copies += [self._copy(record.before, f"{record.id}-before")] if record.before is not None else []
        return [copy.path for copy in copies]

    def keep(self, paths: Collection[str]) -> None:
        """Remove all images but those at `paths`."""
        for copy in self._copies.values():
            if copy.path not in paths:
                (self._folder / copy.path).unlink()

    def _copy(self, source: ImageSource, name: str) -> "_Copy":
        if id(source) not in self._copies:
            data = source.read()
            path = self._free_path(name, decoded_format(data, source.name))
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            self._copies[id(source)] = _Copy(source, f"images/{path.name}", sha256(data).digest())
        return self._copies[id(source)]

    def _free_path(self, name: str, kind: str) -> Path:
        """Return the path of a new file. `a` and `a.png` are two names, and a name may have two images."""
        suffix = SUFFIXES.get(kind, f".{kind.lower()}")
        stem = self._folder / "images" / _file_stem(name, suffix)
        paths = (Path(f"{stem}-{n}{suffix}" if n > 1 else f"{stem}{suffix}") for n in count(1))
        return next(path for path in paths if not path.exists())


@dataclass(frozen=True, slots=True)
class _Copy:
    """Copied image."""

    source: ImageSource
    """Kept, so that no other source gets its identity."""
    path: str
    """Path in the dataset folder."""
    digest: bytes
    """SHA-256 of the image."""


def _file_stem(name: str, suffix: str) -> str:
    """Return a file name that every system accepts. Different names give different file names."""
    stem = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:80]
    if plain == stem:
        return plain
    return f"{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
