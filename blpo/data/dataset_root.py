"""Root folder of a dataset. Image paths never lead outside the root."""

import os
from pathlib import PurePosixPath, PureWindowsPath

from blpo.data.file_hints import FileHints
from blpo.data.image_sources import FileImage
from blpo.data.message_text import display_text
from blpo.data.similar_names import SimilarFiles
from blpo.data.urls import URL
from state.sample import ImageSource


class DatasetRoot:
    """Folder that image paths are relative to. A path may not leave the folder by `..` or by a link."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.path.realpath(folder)
        self._real_parents: dict[str, str] = {}
        self._similar = SimilarFiles()
        self._hints = FileHints(self._folder)

    def locate(self, relative: str) -> str:
        r"""Return the absolute path of an image. `relative` counts from the folder, or from its images/.

        Without such a file, the only file whose name looks equal is taken: `\` for `/`, a composed or decomposed
        accent, spaces at the ends, another case. Raises `ValueError` for a URL, an absolute path, a path outside the
        folder, a path to no file, and a path that looks like several files.
        """
        if is_absolute(relative):
            raise ValueError(f"{_absolute_problem(relative)}{self._hints.for_path(relative)}")
        refuse_outer_path(relative)
        bases = (self._folder, os.path.join(self._folder, "images"))
        for base in bases:
            path = os.path.join(base, relative)
            if os.path.lexists(path):
                return self._inside(path, relative)
        for base in bases:
            similar = self._similar.below(base, relative)
            if len(similar) > 1:
                names = " and ".join(display_text(os.path.relpath(path, base)) for path in similar[:3])
                raise ValueError(f"image {display_text(relative)} could be {names}; write the path as the file's name")
            if similar:
                return self._inside(similar[0], relative)
        hint = self._hints.for_path(relative)
        raise ValueError(f"image {display_text(relative)} does not exist in the dataset's folder{hint}")

    def image(self, relative: str, name: str) -> ImageSource:
        """Return the image at a path; `name` is its name in messages. Raises `ValueError` as `locate`."""
        return FileImage(self.locate(relative), name)

    def folder_at(self, relative: str) -> tuple[str, str] | None:
        """Return the real path of a folder, and its path from the root; None without such a folder.

        `relative` counts as in `locate`. The root and its images/ are no such folders. Raises `ValueError` for a path
        outside the root.
        """
        if is_absolute(relative) or not relative.strip() or "\0" in relative:
            return None
        for place in (relative, os.path.join("images", relative)):
            path = os.path.realpath(os.path.join(self._folder, place))
            if os.path.isdir(path) and path not in (self._folder, os.path.join(self._folder, "images")):
                refuse_outer_path(relative)
                return self._below(path, relative), place
        return None

    def locate_real(self, path: str) -> str:
        """Return the real path of an absolute path. Raises `ValueError` for a path outside the folder."""
        return self._inside(path, path)

    def _inside(self, path: str, name: str) -> str:
        parent, last = os.path.split(path)
        if parent not in self._real_parents:
            self._real_parents[parent] = os.path.realpath(parent)
        real = os.path.join(self._real_parents[parent], last)
        if os.path.islink(real):
            real = os.path.realpath(real)
        self._below(real, name)
        if not os.path.isfile(real):
            raise ValueError(f"image {display_text(name)} is not a file")
        return real

    def _below(self, real: str, name: str) -> str:
        """Return a real path; raises `ValueError` for a path outside the root."""
        if not real.startswith(self._folder.rstrip(os.sep) + os.sep):
            raise ValueError(
                f"image path {display_text(name)} leads outside the dataset's folder; copy the file into it"
            )
        return real


def is_absolute(path: str) -> bool:
    """Return True for an absolute path of any system. URLs are no paths."""
    windows = PureWindowsPath(path)
    return not URL.match(path) and bool(PurePosixPath(path).is_absolute() or windows.drive or windows.root)


def _absolute_problem(path: str) -> str:
    return f"image path {display_text(path)} is absolute; write the path relative to the dataset's folder"


def refuse_outer_path(path: str) -> None:
    """Raise `ValueError` for a path that is empty, a URL, absolute, or climbs by `..`."""
    windows = PureWindowsPath(path)
    if not path.strip() or "\0" in path:
        raise ValueError(f"image path {path!r} is no path")
    if URL.match(path):
        raise ValueError(
            f"image {display_text(path)} is a URL; images are not fetched, so copy the file into the folder"
        )
    if is_absolute(path):
        raise ValueError(_absolute_problem(path))
    if ".." in windows.parts:
        raise ValueError(
            f"image path {display_text(path)} leads outside the dataset's folder; write the path without '..'"
        )
