"""Locks on folders: one process at a time works on a folder. A lock is free again at the end of the process."""

import fcntl
import os
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from state.errors import RunError, StoreError

LOCK = "lock"
"""Name of the lock's file in the folder. The file holds the id of the last process."""

_POLL_SECONDS = 0.1


def lock_folder(folder: Path, patience: float = 0.0) -> TextIOWrapper:
    """Lock a folder until the returned file is closed. A child process with the open file keeps the lock.

    `patience`: seconds to wait for another process.

    Raises `RunError` if another process keeps the lock, and `StoreError` if the lock's file can't be made.
    """
    try:
        lock = (folder / LOCK).open("a", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder / LOCK} can't be written: {error.strerror}; fix its permissions") from None
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= end:
                lock.close()
                raise RunError(
                    f"another process is working on {folder}; wait for it, or stop it, then try again"
                ) from None
            time.sleep(_POLL_SECONDS)
            continue
        with suppress(OSError):  # the lock counts, also on a full disk
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        return lock


def holder(folder: Path) -> int | None:
    """Return the id of the process that works on the folder; None without a process, and for an unknown process."""
    if not is_locked(folder):
        return None
    try:
        text = (folder / LOCK).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def is_locked(folder: Path) -> bool:
    """Return True if a process of this machine works on the folder. A folder without a lock is not locked."""
    try:
        with (folder / LOCK).open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, and freed at once
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
