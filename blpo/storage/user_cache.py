"""Files in the user's cache folder, shared by all processes. The files only save time.

A file is named by a hash of its key and of the code that makes the content. So other code, or another version of a
package, never reads old content. A damaged file counts as missing. Without a folder that can be written, nothing is
kept.
"""

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from blpo.storage.whole_files import write_whole
from state.errors import StoreError

MOST_FILES = 128
"""Files in a folder of a cache of small files: with 256 folders about 33,000."""
_CHECKSUM = 32


def user_cache(name: str) -> Path | None:
    """Return the folder `name` in the user's cache, not yet made; None for a user without a home."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    except RuntimeError:  # the system knows no home
        return None
    return Path(base, "blpo", name)


@dataclass(frozen=True, slots=True)
class CachedFiles:
    """Contents by key."""

    name: str
    """Name of the folder in the user's cache."""
    code: tuple[Path, ...]
    """Source files that determine the contents."""
    packages: tuple[str, ...] = ("numpy", "scipy", "pillow")
    """Packages that determine the contents."""
    most_files: int = MOST_FILES
    """Files in a folder; there are 256 folders."""

    def read(self, key: bytes) -> bytes | None:
        """Return the content for a key; None without a sound file."""
        path = self.path(key)
        try:
            content = path.read_bytes() if path else b""
        except OSError:
            return None
        if path is None or content[:_CHECKSUM] != _checksum(path, content[_CHECKSUM:]):
            return None
        return content[_CHECKSUM:]

    def write(self, key: bytes, content: bytes) -> None:
        """Keep the content for a key. A full folder loses its older half."""
        path = self.path(key)
        if path is None:
            return
        with suppress(OSError, StoreError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, _checksum(path, content) + content, durable=False)
            files = list(path.parent.iterdir())
            if len(files) > self.most_files:
                for file in sorted(files, key=lambda each: each.stat().st_mtime)[: len(files) // 2]:
                    file.unlink()

    def path(self, key: bytes) -> Path | None:
        """Return the path for a key, perhaps of a missing file; None without a cache folder or without source files."""
        folder, code = user_cache(self.name), _code_hash(self.code, self.packages)
        name = sha256(code + key).hexdigest()
        return folder / name[:2] / name[2:] if folder and code else None


def _checksum(path: Path, content: bytes) -> bytes:
    return sha256(path.name.encode() + content).digest()


@cache
def _code_hash(files: Sequence[Path], packages: Sequence[str]) -> bytes:
    """Return a hash of machine, packages and source files; empty for unreadable source files."""
    code = sha256(f"{platform.machine()} {[version(name) for name in packages]}".encode())
    try:
        for file in files:
            code.update(file.read_bytes())
    except OSError:
        return b""
    return code.digest()
