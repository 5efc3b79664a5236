"""Cache of encoded image files. An image is encoded once.

The cache folder holds scaled and converted images. The file name is a hash of the stored file and of the limits. So
all processes and later runs find the file, and a changed stored file is a new image. The cache holds no image that is
sent as stored: such an image is read again from the source, but decoded only once (see `blpo.data.whole_images`).
"""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from blpo.data.image_encoding import EncodedFile
from blpo.data.images import encode_stored_file, encoded
from blpo.data.metadata import without_metadata
from blpo.data.whole_images import keep_original, original_kind
from blpo.storage.whole_files import write_whole
from state.errors import StoreError
from state.sample import EncodedImage, ImageSource

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png"}
"""Formats of encoded images."""


class ImageFileCache:
    """Encoder of images, with a cache in `folder` (None: no cache). Safe to use from several threads.

    `remember`: keep a few hundred bytes in memory, and a file in the user's cache folder, for every image that is sent
    as stored.
    """

    def __init__(self, folder: Path | None, *, remember: bool = True) -> None:
        self._folder = folder
        self._remember = remember
        self._original_kinds: dict[str, str] = {}

    def encode(self, source: ImageSource, max_pixels: int, max_side: int) -> EncodedImage:
        """Return the image for a model (see `blpo.data.images.encode_image`). Raises `DataError`."""
        data = source.read()
        digest = sha256(data).hexdigest()
        name = sha256(f"{max_pixels} {max_side} {digest}".encode()).hexdigest()
        file = self._original(data, name) or self._cached(name)
        if file is None:
            file = encode_stored_file(data, source.name, max_pixels, max_side)
            self._keep(file, name)
        return encoded(file, digest if file.data == data else None)

    def _original(self, data: bytes, name: str) -> EncodedFile | None:
        kind = self._original_kind(name) if self._remember else None
        stripped = without_metadata(data, kind) if kind else None
        return EncodedFile(stripped, kind, is_original=True) if kind and stripped else None

    def _original_kind(self, name: str) -> str | None:
        kind = self._original_kinds.get(name) or original_kind(name)
        if kind:
            self._original_kinds[name] = kind
        return kind

    def _cached(self, name: str) -> EncodedFile | None:
        for kind, suffix in _SUFFIXES.items() if self._folder else ():
            with suppress(OSError):
                return EncodedFile(self._path(name + suffix).read_bytes(), kind, is_original=False)
        return None

    def _keep(self, file: EncodedFile, name: str) -> None:
        if file.is_original:
            if self._remember:
                self._original_kinds[name] = file.kind
                keep_original(name, file.kind)
        elif self._folder is not None:
            with suppress(OSError, StoreError):  # the folder only saves time
                self._folder.mkdir(parents=True, exist_ok=True)
                # Durable: later the content is sent without a check.
                write_whole(self._path(name + _SUFFIXES[file.kind]), file.data, durable=True)

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / name
