"""Sources of an image's bytes: a file, or a cell of a table.

All sources are `state.sample.ImageSource`. A source reads nothing before `read()`. `stamp()` identifies the bytes
cheaply for a dataset's fingerprint: from the size, the first and the last bytes of a file. So the stamp is the same on
every machine, and 10 GB are not read.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol, runtime_checkable

from blpo.data.urls import URL
from state.errors import DataError
from state.sample import ImageSource, Sample

IMAGE_SUFFIXES = frozenset(
    "." + end
    for end in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "tif", "tiff", "avif", "avifs"),
        *("jp2", "j2k", "j2c", "jpc", "jpf", "jpx", "ppm", "pgm", "pbm", "pnm", "pfm"),
    )
)
"""Suffixes that a search of a folder looks for: the usual suffixes of `blpo.data.image_encoding.FORMATS`.

A file that a user names may have any suffix.
"""

MAX_FILE_BYTES = 256 * 2**20
"""Larger image files are refused."""

_END_BYTES = 4096


@runtime_checkable
class StampedSource(Protocol):
    """Source with a cheap identification."""

    def stamp(self) -> str:
        """Return a text that changes with the bytes. The text is the same on every machine."""
        ...


def stamp(source: ImageSource) -> str:
    """Identify the bytes of any source. Reads all bytes if the source is no `StampedSource`."""
    return source.stamp() if isinstance(source, StampedSource) else sha256(source.read()).hexdigest()


def file_stamp(path: str, name: str) -> str:
    """Return the size and a hash of both ends of a file. Raises `DataError`, with `name`, for an unreadable file."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            ends = file.read(_END_BYTES)
            file.seek(max(size - _END_BYTES, 0))
            ends += file.read(_END_BYTES)
    except OSError as error:
        raise DataError(f"{name}: can't be read ({error.strerror})") from error
    return f"{size}:{sha256(ends).hexdigest()}"


@dataclass(frozen=True, slots=True)
class FileImage:
    """Image file."""

    path: str
    name: str
    """Name in messages: the row and the path, or the path alone."""

    def read(self) -> bytes:
        """Return the file's bytes. Raises `DataError` for a file that is unreadable, not regular, or too large."""
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
            if URL.match(self.path):
                raise DataError(f"{self.name}: is a URL; images are not fetched, so give a file") from None
            raise DataError(f"{self.name}: can't be read ({getattr(error, 'strerror', None) or error})") from error

    def stamp(self) -> str:
        """Return the file's stamp."""
        return file_stamp(self.path, self.name)


@runtime_checkable
class CountedColumn(Protocol):
    """Column that knows the size of cells without reading cells one by one."""

    def byte_counts(self) -> Sequence[int | None]:
        """Return the number of bytes of every cell; None for a cell without bytes."""
        ...


class CellColumn(Protocol):
    """Column of encoded images. A cell holds bytes, or a mapping with `bytes` and `path`."""

    def cell(self, row: int) -> object:
        """Return a cell. Rows count from 0."""
        ...

    def stamp(self) -> str:
        """Identify the bytes of the whole column."""
        ...

    def locate(self, relative: str) -> str:
        """Return the absolute path of a path in a cell. Raises `ValueError` as `DatasetRoot.locate`."""
        ...


@dataclass(frozen=True, slots=True)
class CellImage:
    """Image in a cell of a table."""

    column: CellColumn
    row: int
    name: str

    def read(self) -> bytes:
        """Return the cell's bytes. Raises `DataError` for a cell without an image."""
        cell = self.column.cell(self.row)
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        return content if isinstance(content, bytes) and content else self._file(cell).read()

    def byte_count(self) -> int | None:
        """Return the number of bytes in the cell; None for a cell without bytes, and for an uncounted column."""
        return self.column.byte_counts()[self.row] if isinstance(self.column, CountedColumn) else None

    def file(self) -> FileImage:
        """Return the file that the cell names. Raises `DataError` for a cell without a path of an image."""
        return self._file(self.column.cell(self.row))

    def _file(self, cell: object) -> FileImage:
        path = cell.get("path") if isinstance(cell, dict) else None
        if not path or not isinstance(path, str):
            raise DataError(f"{self.name}: holds no image; expected encoded bytes")
        try:
            return FileImage(self.column.locate(path), self.name)
        except ValueError as error:
            raise DataError(f"{self.name}: {error}") from error

    def stamp(self) -> str:
        """Return the column's stamp and the row."""
        return f"{self.column.stamp()}:{self.row}"


def file_sample(path: Path) -> Sample:
    """Return an unlabelled sample of an image file, for judging. A faulty file is reported by `read()`."""
    return Sample(str(path), (FileImage(str(path), str(path)),), None)
