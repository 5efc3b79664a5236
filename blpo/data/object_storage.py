"""Files at paths, and at `s3://` and `gs://` addresses, by pyarrow's file systems.

Keys, regions and endpoints come from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
AWS_ENDPOINT_URL for `s3://`, Google's application default credentials for `gs://`.
"""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyarrow import fs

from blpo.data.arrow_errors import arrow_errors
from blpo.data.dataset_root import DatasetRoot, refuse_outer_path
from blpo.data.image_sources import MAX_FILE_BYTES
from blpo.data.message_text import display_text
from blpo.storage.whole_files import whole_file
from state.errors import DataError, StoreError
from state.sample import ImageSource

SCHEMES = ("s3://", "gs://")
SUFFIX = ".parquet"


def is_object(name: str) -> bool:
    """Return True for an address in an object storage."""
    return name.startswith(SCHEMES)


def file_system(name: str) -> tuple[Any, str]:
    """Return the file system of a path or an address, and the path in it. Raises `DataError`."""
    if not is_object(name):
        return _local(), os.path.abspath(name)
    scheme, _, path = name.partition("://")
    with arrow_errors(name):
        return _objects(scheme, os.environ.get("AWS_ENDPOINT_URL")), path.rstrip("/")


@lru_cache
def _local() -> Any:
    return fs.LocalFileSystem()


@lru_cache
def _objects(scheme: str, endpoint: str | None) -> Any:
    return fs.GcsFileSystem() if scheme == "gs" else fs.S3FileSystem(endpoint_override=endpoint)


def parquet_files(pattern: str) -> list[str]:
    """Return the Parquet files at a path, in a folder, or of a pattern, by name. Raises `DataError` for none."""
    files = sorted(_object_files(pattern) if is_object(pattern) else _local_files(pattern))
    if not files:
        raise DataError(f"{pattern}: no Parquet file is there; give files, folders or patterns of .parquet files")
    return files


def _local_files(pattern: str) -> list[str]:
    names = [pattern] if os.path.lexists(pattern) else glob.glob(pattern, recursive=True)
    folders = [name for name in names if os.path.isdir(name)]
    inner = [str(file) for name in folders for file in Path(name).glob(f"*{SUFFIX}")]
    return [name for name in (*names, *inner) if name not in folders]


def _object_files(pattern: str) -> list[str]:
    scheme = pattern.partition("://")[0]
    files, path = file_system(pattern)
    plain = path[: min(path.index(sign) for sign in "*?[" if sign in path)] if glob.has_magic(path) else f"{path}/"
    with arrow_errors(pattern):
        if not glob.has_magic(path) and files.get_file_info(path).type == fs.FileType.File:
            return [pattern]
        entries = files.get_file_info(_selector(plain.rpartition("/")[0], recursive=glob.has_magic(path)))
    full_pattern = path if glob.has_magic(path) else f"{path}/*{SUFFIX}"
    names = [entry.path for entry in entries if entry.type == fs.FileType.File]
    return [f"{scheme}://{name}" for name in names if fnmatchcase(name, full_pattern)]


def _selector(folder: str, *, recursive: bool = False) -> Any:
    return fs.FileSelector(folder, allow_not_found=True, recursive=recursive)


def file_names(folder: str) -> list[str]:
    """Return the names of the files in a folder; empty for a folder that does not exist. Raises `DataError`."""
    files, path = file_system(folder)
    with arrow_errors(folder):
        entries = files.get_file_info(_selector(path))
    return [entry.base_name for entry in entries if entry.type == fs.FileType.File]


def read_whole(name: str) -> bytes | None:
    """Return the content of a small file; None for a file that does not exist. Raises `DataError`."""
    files, path = file_system(name)
    with arrow_errors(name):
        if files.get_file_info(path).type == fs.FileType.NotFound:
            return None
        with files.open_input_stream(path) as stream:
            content: bytes = stream.read()
            return content


def root_of(file: str) -> DatasetRoot:
    """Return the folder of a table: image paths count from it."""
    if is_object(file):
        return ObjectFolder(file.rpartition("/")[0])
    return DatasetRoot(Path(file).absolute().parent)


class ObjectFolder(DatasetRoot):
    """Folder of a table in an object storage. An image's path, or its whole address, never leads outside."""

    def __init__(self, address: str) -> None:
        self._address = address

    def locate(self, relative: str) -> str:
        """Return the address of an image; raises `ValueError` for a path outside the folder."""
        inner = relative.removeprefix(f"{self._address}/")
        if is_object(inner):
            raise ValueError(
                f"image {display_text(relative)} is outside the folder of its table ({self._address}); put the table"
                " above its images"
            )
        refuse_outer_path(inner)
        return f"{self._address}/{inner}"

    def image(self, relative: str, name: str) -> ImageSource:
        """Return the image at a path; raises `ValueError` as `locate`."""
        return ObjectImage(self.locate(relative), name)

    def folder_at(self, relative: str) -> None:
        """Return None: a cell of such a table names no folder."""
        return None


class ObjectImage:
    """Image in an object storage."""

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        self.name = name

    def read(self) -> bytes:
        """Return the bytes. Raises `DataError` for an object that is missing, unreadable or too large."""
        try:
            files, path = file_system(self._address)
            with files.open_input_file(path) as stream:
                if stream.size() > MAX_FILE_BYTES:
                    raise DataError(f"{self.name}: is larger than {MAX_FILE_BYTES >> 20} MiB; make the image smaller")
                content: bytes = stream.read()
                return content
        except OSError as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{self.name}: {display_text(self._address)} can't be read ({reason})") from None


@contextmanager
def whole_output(name: str) -> Iterator[Any]:
    """Yield a stream that becomes the file `name` whole at the end of the block, or not at all.

    An object appears when its upload is complete. Raises `StoreError`.
    """
    if not is_object(name):
        with whole_file(Path(name)) as file:
            yield file
        return
    files, path = file_system(name)
    try:
        with files.open_output_stream(path) as stream:
            yield stream
    except OSError as error:
        raise StoreError(f"{name} can't be written: {' '.join(str(error).split())[:200]}") from None
