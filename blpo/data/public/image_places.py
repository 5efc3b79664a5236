"""Where the images are that rows name: in archives as downloaded, or in files unpacked from them."""

from collections.abc import Sequence
from pathlib import Path

from blpo.data.dataset_root import DatasetRoot, refuse_outer_path
from blpo.data.image_sources import FileImage
from blpo.data.message_text import display_text
from blpo.data.public.archives import Archive, MemberImage
from state.sample import ImageSource


class ImagePlaces:
    """Finds images below a folder and in archives; nothing outside is ever opened."""

    def __init__(self, folder: Path, archives: Sequence[Path]) -> None:
        """Open the archives; raises `DataError` for a damaged one."""
        self._root = DatasetRoot(folder)
        self._archives = [Archive(file) for file in archives]

    def find(self, written: object, place: str) -> ImageSource:
        """Locate the image that the row at `place` names; raises `ValueError` where it is missing or leads outside."""
        if not isinstance(written, str):
            raise ValueError(f"image {display_text(written)} is no path")
        refuse_outer_path(written)
        name = f"{place}: {display_text(written)}"
        for archive in self._archives:
            member = archive.find(written)
            if member is not None:
                return MemberImage(archive, member, name)
        try:
            return FileImage(self._root.locate(written), name)
        except ValueError as error:
            names = ", ".join(archive.name for archive in self._archives[:3])
            more = f" (nor in {names}{' ...' if len(self._archives) > 3 else ''})" if names else ""
            raise ValueError(f"{error}{more}") from error
