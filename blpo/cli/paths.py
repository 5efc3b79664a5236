"""Paths as the user types them."""

import os
from pathlib import Path


def short_path(path: str | Path) -> str:
    """Return a path below the working directory relative to it, and any other path unchanged."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative
