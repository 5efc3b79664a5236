"""Paths in a configuration, made absolute."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from state.settings import POSTGRES

PATHS = (
    ("data", "path"),
    ("data", "corrections"),
    ("prompts", "judge_file"),
    ("prompts", "i2t_file"),
    ("run", "dir"),
    ("run", "checkpoints"),
)
"""Sections and names of the settings that hold a path."""
_ADDRESS = re.compile(r"hub:|[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DATABASE_URL = re.compile(r"postgres(ql)?:|[^/]*://", re.IGNORECASE)


def absolute_paths(sections: dict[str, Any], base: Path) -> dict[str, Any]:
    """Make all paths in `sections` absolute, and return `sections`. A relative path begins at `base`."""
    places = [(sections.get(section), name) for section, name in PATHS if section != "data"]
    for data in _data_sections(sections):
        places += [(data, "path"), (data, "corrections"), (data.get("raters"), "file")]
    for settings, name in places:
        path = settings.get(name) if isinstance(settings, dict) else None
        if isinstance(settings, dict) and isinstance(path, str) and _is_path(name, path):
            settings[name] = str(base / os.path.expanduser(path))
    return sections


def _data_sections(sections: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the section `data`, and those of all tasks."""
    tasks = sections.get("tasks")
    for owner in (sections, *(tasks if isinstance(tasks, list) else ())):
        if isinstance(owner, dict) and isinstance(data := owner.get("data"), dict):
            yield data


def is_database_url(checkpoints: str) -> bool:
    """Return True if `run.checkpoints` holds a database's URL in place of a path or `postgres`."""
    return bool(_DATABASE_URL.match(checkpoints))


def _is_path(name: str, text: str) -> bool:
    if name == "checkpoints" and (text == POSTGRES or is_database_url(text)):
        return False
    return bool(text) and not _ADDRESS.match(text)
