"""Whole writes of files and folders. A file appears whole or not at all, and survives a loss of power."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import BinaryIO

from state.errors import StoreError

_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)
"""Errors of file systems without syncs of folders, such as some network shares."""


def write_whole(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file whole, or leave the former file as it was. Text is written as UTF-8.

    `durable`: the content survives a loss of power. A durable write costs two syncs (half a millisecond on an SSD).

    Raises `StoreError` in one line with the file's name.
    """
    with whole_file(path, durable=durable) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Yield a draft beside `path`. The draft becomes `path` when the block ends, and is removed when the block raises.

    Raises like `write_whole`.
    """
    draft = path.with_name(f".{token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            yield file
        put_in_place(draft, path, durable=durable)
    except OSError as error:
        raise _write_error(path, error) from None
    finally:
        with suppress(OSError):
            draft.unlink()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`. The folder becomes `path` when the block ends; an error removes the folder.

    Raises `StoreError` in one line if `path` can't be made, for example because it holds something.
    """
    draft = path.with_name(f".{path.name}.{token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
    except OSError as error:
        raise _write_error(path, error) from None
    try:
        yield draft
        put_in_place(draft, path)
    finally:
        rmtree(draft, ignore_errors=True)


def put_in_place(draft: Path, target: Path, *, durable: bool = True) -> None:
    """Rename a finished draft, a file or a folder, to `target` in one step. A file replaces a former file.

    `draft` and `target` must be on one file system. `durable`: see `write_whole`; the files of a folder are not synced.

    Raises `StoreError` in one line with the target's name: for example, a folder can't replace a folder with content.
    """
    try:
        if durable:
            _sync(draft)
        os.replace(draft, target)
        if durable:
            _sync(target.parent)
    except OSError as error:
        raise _write_error(target, error) from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in _NO_FOLDER_SYNC):
            raise
    finally:
        os.close(descriptor)


def _write_error(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} can't be written: {error.strerror or error}; free disk space or fix its permissions")
