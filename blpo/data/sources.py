"""Where the bytes of an image come from: a file inside the dataset's folder, or a cell of a table.

Both are `state.sample.ImageSource` and read nothing until asked. `stamp()` identifies the bytes cheaply for a dataset's
fingerprint: from the size and both ends of a file, so that it is the same on every machine and 10 GB are not read.
"""

import os
import re
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol, runtime_checkable

from blpo.data.wording import shown
from state.errors import DataError
from state.sample import ImageSource, Sample

IMAGE_SUFFIXES = frozenset(
    "." + end
    for end in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "tif", "tiff", "avif", "avifs"),
        *("jp2", "j2k", "j2c", "jpc", "jpf", "jpx", "ppm", "pgm", "pbm", "pnm", "pfm"),
    )
)
"""What a folder is searched for: the usual ends of `data.images.FORMATS`; a file named by itself may end otherwise."""

MAX_FILE_BYTES = 256 * 2**20
"""Larger image files are refused."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)
_END = 4096


class Root:
    """The folder that image paths are relative to and may not leave, by `..` or by a link."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.path.realpath(folder)
        self._real_parents: dict[str, str] = {}

    def locate(self, written: str) -> str:
        """Return the absolute path of an image that a table names relative to the folder, or to its images/.

        Raises `ValueError`, saying what is wrong, for a path that is a URL, absolute, leads outside or to no file.
        """
        refuse_foreign(written)
        for base in (self._folder, os.path.join(self._folder, "images")):
            path = os.path.join(base, written)
            if os.path.lexists(path):
                return self._inside(path, written)
        raise ValueError(f"image {shown(written)} does not exist in the dataset's folder")

    def locate_real(self, path: str) -> str:
        """Return an absolute path that lies inside the folder; raises `ValueError` for any other."""
        return self._inside(path, path)

    def _inside(self, path: str, written: str) -> str:
        parent, last = os.path.split(path)
        if parent not in self._real_parents:
            self._real_parents[parent] = os.path.realpath(parent)
        real = os.path.join(self._real_parents[parent], last)
        if os.path.islink(real):
            real = os.path.realpath(real)
        if not real.startswith(self._folder.rstrip(os.sep) + os.sep):
            raise ValueError(f"image path {shown(written)} leads outside the dataset's folder; copy the file into it")
        if not os.path.isfile(real):
            raise ValueError(f"image {shown(written)} is not a file")
        return real


def refuse_foreign(written: str) -> None:
    """Raise `ValueError`, saying what is wrong, for a path that is empty, a URL, absolute, or climbs by `..`."""
    windows = PureWindowsPath(written)
    if not written.strip() or "\0" in written:
        raise ValueError(f"image path {written!r} is no path")
    if _URL.match(written):
        raise ValueError(f"image {shown(written)} is a URL; images are not fetched, so copy the file into the folder")
    if PurePosixPath(written).is_absolute() or windows.drive or windows.root:
        raise ValueError(f"image path {shown(written)} is absolute; write it relative to the dataset's folder")
    if ".." in windows.parts:
        raise ValueError(f"image path {shown(written)} leads outside the dataset's folder; write it without '..'")


@runtime_checkable
class Stamped(Protocol):
    """A source that can be identified without reading all of it."""

    def stamp(self) -> str:
        """Text that changes when the bytes do; the same on every machine."""
        ...


def stamp(source: ImageSource) -> str:
    """Identify the bytes of any source; reads them where the source knows no cheaper way."""
    return source.stamp() if isinstance(source, Stamped) else sha256(source.read()).hexdigest()


def file_stamp(path: str, name: str) -> str:
    """Size and both ends of a file, hashed; raises `DataError` naming `name` where it can't be read."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            ends = file.read(_END)
            file.seek(max(size - _END, 0))
            ends += file.read(_END)
    except OSError as error:
        raise DataError(f"{name}: can't be read ({error.strerror})") from error
    return f"{size}:{sha256(ends).hexdigest()}"


@dataclass(frozen=True, slots=True)
class FileImage:
    """An image file."""

    path: str
    name: str
    """As messages name it: the row and the path, or the path alone."""

    def read(self) -> bytes:
        """Return the file's bytes; raises `DataError` where it can't be read, is no regular file, or is too large."""
        try:
            status = os.stat(self.path)
            # Opening a pipe would wait for ever, and reading a device might never end.
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{self.name}: is not a regular file")
            if status.st_size > MAX_FILE_BYTES:
                raise DataError(f"{self.name}: is larger than {MAX_FILE_BYTES >> 20} MiB; make the image smaller")
            with open(self.path, "rb") as file:
                return file.read(MAX_FILE_BYTES)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            if _URL.match(self.path):
                raise DataError(f"{self.name}: is a URL; images are not fetched, so give a file") from None
            raise DataError(f"{self.name}: can't be read ({getattr(error, 'strerror', None) or error})") from error

    def stamp(self) -> str:
        """Size and both ends of the file."""
        return file_stamp(self.path, self.name)


class CellColumn(Protocol):
    """A column whose cells hold encoded images: bytes, or a mapping with `bytes` and `path`."""

    def cell(self, row: int) -> object:
        """Return one cell; rows count from 0."""
        ...

    def stamp(self) -> str:
        """Identify the whole column's bytes."""
        ...

    def locate(self, written: str) -> str:
        """Return the absolute path of a cell that holds a path; raises `ValueError` as `Root.locate`."""
        ...


@dataclass(frozen=True, slots=True)
class CellImage:
    """An image in a cell of a table, read when asked for."""

    column: CellColumn
    row: int
    name: str

    def read(self) -> bytes:
        """Return the cell's bytes; raises `DataError` where it holds none."""
        cell = self.column.cell(self.row)
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        path = cell.get("path") if isinstance(cell, dict) else None
        if isinstance(content, bytes) and content:
            return content
        if not path or not isinstance(path, str):
            raise DataError(f"{self.name}: holds no image; expected encoded bytes")
        try:
            located = self.column.locate(path)
        except ValueError as error:
            raise DataError(f"{self.name}: {error}") from error
        return FileImage(located, self.name).read()

    def stamp(self) -> str:
        """The table's stamp and the row."""
        return f"{self.column.stamp()}:{self.row}"


def file_sample(path: Path) -> Sample:
    """An unlabelled sample of one image file, for judging; what is wrong with the file is found when it is read."""
    return Sample(str(path), (FileImage(str(path), str(path)),), None)
