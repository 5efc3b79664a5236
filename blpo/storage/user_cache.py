"""Cache folder of the user. A missing cache costs time and nothing else."""

import os
from pathlib import Path


def user_cache(name: str) -> Path | None:
    """Return the folder `name` in the user's cache, not yet made; None for a user without a home."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    except RuntimeError:  # the system knows no home
        return None
    return Path(base, "blpo", name)
