"""Copies of a set's images in a dataset folder."""

import re
from collections.abc import Collection
from hashlib import sha256
from itertools import count
from pathlib import Path

from blpo.data.images import decoded_format
from blpo.data.public.public_set import Record
from state.sample import ImageSource

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "JPEG2000": ".jp2"}
"""By format. For other formats the suffix is the name of the format."""


class ImageFolder:
    """Folder images/ of a dataset. Images are copied unchanged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # By the identity of the source: pairs of a prompt share images.
        self._paths: dict[int, tuple[ImageSource, str]] = {}

    def write(self, record: Record) -> list[str]:
        """Decode a record's images in full, copy every image once, and return the paths in the folder.

        The path of an image before the edit is the last path. Raises `DataError` for an image that can't be read or
        decoded.
        """
        pairs = list(zip(record.images, record.names or (record.id,), strict=True))
        pairs += [(record.before, f"{record.id}-before")] if record.before is not None else []
        return [self._copy(source, name) for source, name in pairs]

    def keep(self, paths: Collection[str]) -> None:
        """Remove all images but those at `paths`."""
        for _, path in self._paths.values():
            if path not in paths:
                (self._folder / path).unlink()

    def _copy(self, source: ImageSource, name: str) -> str:
        if id(source) not in self._paths:
            data = source.read()
            path = self._free_path(name, decoded_format(data, source.name))
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            self._paths[id(source)] = source, f"images/{path.name}"
        return self._paths[id(source)][1]

    def _free_path(self, name: str, kind: str) -> Path:
        """Return the path of a new file. `a` and `a.png` are two names, and a name may have two images."""
        suffix = SUFFIXES.get(kind, f".{kind.lower()}")
        stem = self._folder / "images" / _file_stem(name, suffix)
        paths = (Path(f"{stem}-{n}{suffix}" if n > 1 else f"{stem}{suffix}") for n in count(1))
        return next(path for path in paths if not path.exists())


def _file_stem(name: str, suffix: str) -> str:
    """Return a file name that every system accepts. Different names give different file names."""
    stem = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:80]
    if plain == stem:
        return plain
    return f"{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
