"""Members of zip archives, read singly. An archive is never unpacked."""

import zlib
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from blpo.data.image_sources import MAX_FILE_BYTES
from blpo.data.message_text import display_text
from state.errors import DataError

_BROKEN = (BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""Errors of zipfile for damaged archives, encrypted members (RuntimeError) and unknown compression."""


class Archive:
    """Zip file. Only the directory of the file is in memory."""

    def __init__(self, file: Path) -> None:
        """Open the file. Raises `DataError` for a file that is no complete zip archive."""
        self.name = file.name
        try:
            self._zip = ZipFile(file)
        except _BROKEN as error:
            raise DataError(
                f"{file}: can't be read as a zip archive ({_words(error)}); download the file again"
            ) from error

    def find(self, name: str) -> ZipInfo | None:
        """Return the member for a path in a row. The path or the member may have further leading folders.

        Raises `ValueError` if several members fit.
        """
        path = str(PurePosixPath(name))
        candidates = self._members.get(PurePosixPath(path).name, [])
        exact = [member for member in candidates if member.filename == path]
        members = exact or [member for member in candidates if _same_end(member.filename, path)]
        if len(members) > 1:
            first = display_text(members[0].filename)
            raise ValueError(f"image {display_text(name)} is ambiguous: {self.name} has {first} and others")
        return members[0] if members else None

    def read(self, member: ZipInfo, name: str) -> bytes:
        """Return the member's bytes. Raises `DataError`, with `name`, for a damaged or too large member."""
        if member.file_size > MAX_FILE_BYTES:
            raise DataError(f"{name}: is larger than {MAX_FILE_BYTES >> 20} MiB in {self.name}")
        try:
            # The size in the directory may be wrong, so the read is bounded too.
            with self._zip.open(member) as stream:
                return stream.read(MAX_FILE_BYTES)
        except _BROKEN as error:
            raise DataError(f"{name}: is damaged in {self.name} ({_words(error)})") from error

    @cached_property
    def _members(self) -> dict[str, list[ZipInfo]]:
        members = defaultdict(list)
        for member in self._zip.infolist():
            if not member.is_dir():
                members[PurePosixPath(member.filename).name].append(member)
        return members


@dataclass(frozen=True, slots=True)
class MemberImage:
    """Image in an archive."""

    archive: Archive
    member: ZipInfo
    name: str

    def read(self) -> bytes:
        """Return the image's bytes. Raises `DataError`."""
        return self.archive.read(self.member, self.name)


def _same_end(first: str, second: str) -> bool:
    return f"/{first}".endswith(f"/{second}") or f"/{second}".endswith(f"/{first}")


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
