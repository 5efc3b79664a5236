"""Members of zip archives, read one at a time: an archive is never unpacked."""

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
"""What zipfile raises for damaged archives, encrypted members (RuntimeError) and unknown compression."""


class Archive:
    """A zip file; only its directory is in memory."""

    def __init__(self, file: Path) -> None:
        """Open it; raises `DataError` for a file that is no whole zip archive."""
        self.name = file.name
        try:
            self._zip = ZipFile(file)
        except _BROKEN as error:
            raise DataError(f"{file}: can't be read as a zip archive ({_words(error)}); download it again") from error

    def find(self, written: str) -> ZipInfo | None:
        """The member that a row names; either may have leading folders that the other lacks.

        Raises `ValueError` where several members fit.
        """
        path = str(PurePosixPath(written))
        candidates = self._members.get(PurePosixPath(path).name, [])
        exact = [member for member in candidates if member.filename == path]
        members = exact or [member for member in candidates if _same_end(member.filename, path)]
        if len(members) > 1:
            first = display_text(members[0].filename)
            raise ValueError(f"image {display_text(written)} is ambiguous: {self.name} has {first} and others")
        return members[0] if members else None

    def read(self, member: ZipInfo, name: str) -> bytes:
        """The member's bytes; raises `DataError`, naming `name`, where it is damaged or too large."""
        if member.file_size > MAX_FILE_BYTES:
            raise DataError(f"{name}: is larger than {MAX_FILE_BYTES >> 20} MiB in {self.name}")
        try:
            # The size comes from the directory and may lie: what is read is bounded too.
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
    """An image in an archive."""

    archive: Archive
    member: ZipInfo
    name: str

    def read(self) -> bytes:
        """Return its bytes; raises `DataError`."""
        return self.archive.read(self.member, self.name)


def _same_end(first: str, second: str) -> bool:
    return f"/{first}".endswith(f"/{second}") or f"/{second}".endswith(f"/{first}")


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
