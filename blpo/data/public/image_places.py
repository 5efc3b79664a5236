"""Where the images are that rows name: in archives as downloaded, or in files unpacked from them."""

from collections.abc import Sequence
from pathlib import Path

from blpo.data.public.archives import Archive, MemberImage
from blpo.data.sources import FileImage, Root, refuse_foreign
from blpo.data.wording import shown
from state.sample import ImageSource


class ImagePlaces:
    """Finds images below a folder and in archives; nothing outside is ever opened."""

    def __init__(self, folder: Path, archives: Sequence[Path]) -> None:
        """Open the archives; raises `DataError` for a damaged one."""
        self._root = Root(folder)
        self._archives = [Archive(file) for file in archives]

    def find(self, written: object, place: str) -> ImageSource:
        """Locate the image that the row at `place` names; raises `ValueError` where it is missing or leads outside."""
        if not isinstance(written, str):
            raise ValueError(f"image {shown(written)} is no path")
        refuse_foreign(written)
        name = f"{place}: {shown(written)}"
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
