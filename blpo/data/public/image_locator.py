"""Locator of a set's images: in downloaded archives, or in unpacked files."""

from collections.abc import Sequence
from pathlib import Path

from blpo.data.dataset_root import DatasetRoot, refuse_outer_path
from blpo.data.image_sources import FileImage
from blpo.data.message_text import display_text
from blpo.data.public.archives import Archive, MemberImage
from state.sample import ImageSource


class ImageLocator:
    """Locator of images below a folder and in archives. Files outside the folder are never opened."""

    def __init__(self, folder: Path, archives: Sequence[Path]) -> None:
        """Open the archives. Raises `DataError` for a damaged archive."""
        self._root = DatasetRoot(folder)
        self._archives = [Archive(file) for file in archives]

    def locate(self, path: object, place: str) -> ImageSource:
        """Return the image at `path`, named by the row at `place`. Raises `ValueError` for a missing or outer path."""
        if not isinstance(path, str):
            raise ValueError(f"image {display_text(path)} is no path")
        refuse_outer_path(path)
        name = f"{place}: {display_text(path)}"
        for archive in self._archives:
            member = archive.find(path)
            if member is not None:
                return MemberImage(archive, member, name)
        try:
            return FileImage(self._root.locate(path), name)
        except ValueError as error:
            names = ", ".join(archive.name for archive in self._archives[:3])
            more = f" (nor in {names}{' ...' if len(self._archives) > 3 else ''})" if names else ""
            raise ValueError(f"{error}{more}") from error
