"""The files that are sent for images, each made once.

What had to be scaled or converted is kept in a folder, under the hash of the stored file and of the limits it was made
for: so it is found again by whoever asks next, also after a restart, and a stored file that changes is another image.
What is sent as it is stored is not kept: it is read again from its source, and not decoded again by this process.
"""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from blpo.data.image_encoding import SentFile
from blpo.data.images import encoded, sent_file
from blpo.data.metadata import without_metadata
from blpo.storage.whole_files import write_whole
from state.errors import StoreError
from state.sample import EncodedImage, ImageSource

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png"}
"""What images are made into."""


class ImageFiles:
    """Encodes images, over a folder (None: nothing is kept). Safe to use from several threads.

    `remember`: whether it keeps, a few hundred bytes for each image, which are sent as they are stored.
    """

    def __init__(self, folder: Path | None, *, remember: bool = True) -> None:
        self._folder = folder
        self._remember = remember
        self._original_kinds: dict[str, str] = {}

    def encode(self, source: ImageSource, max_pixels: int, max_side: int) -> EncodedImage:
        """Return the image as it is sent (see `blpo.data.images.encode_image`); raises `DataError`."""
        data = source.read()
        digest = sha256(data).hexdigest()
        name = sha256(f"{max_pixels} {max_side} {digest}".encode()).hexdigest()
        found = self._original(data, name) or self._kept(name)
        if found is None:
            found = sent_file(data, source.name, max_pixels, max_side)
            self._keep(found, name)
        return encoded(found, digest if found.data == data else None)

    def _original(self, data: bytes, name: str) -> SentFile | None:
        kind = self._original_kinds.get(name)
        stripped = without_metadata(data, kind) if kind else None
        return SentFile(stripped, kind, is_original=True) if kind and stripped else None

    def _kept(self, name: str) -> SentFile | None:
        for kind, suffix in _SUFFIXES.items() if self._folder else ():
            with suppress(OSError):
                return SentFile(self._path(name + suffix).read_bytes(), kind, is_original=False)
        return None

    def _keep(self, file: SentFile, name: str) -> None:
        if file.is_original:
            if self._remember:
                self._original_kinds[name] = file.kind
        elif self._folder is not None:
            with suppress(OSError, StoreError):  # the folder only saves time
                self._folder.mkdir(parents=True, exist_ok=True)
                # Durable, because the content is sent later without another look at it.
                write_whole(self._path(name + _SUFFIXES[file.kind]), file.data, durable=True)

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / name
