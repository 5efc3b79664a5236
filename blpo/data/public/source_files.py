"""The files of a set as downloaded."""

from collections.abc import Sequence
from pathlib import Path

from state.errors import DataError


def one_file(source: Path, pattern: str, what: str) -> Path:
    """The one file of the folder that fits; raises `DataError` where there is none or several."""
    found = files(source, pattern)
    if len(found) != 1:
        there = f"has {', '.join(file.name for file in found)}; keep one" if found else "has none"
        raise DataError(f"{source}: {there} ({what} is expected, {pattern})")
    return found[0]


def files(source: Path, pattern: str) -> Sequence[Path]:
    """All files of the folder that fit, sorted; raises `DataError` where it is no folder."""
    if not source.is_dir():
        raise DataError(
            f"{source}: "
            + ("is not a folder" if source.exists() else "does not exist")
            + "; --source names the folder with the files as downloaded"
        )
    return sorted(file for file in source.glob(pattern) if file.is_file() and not file.name.startswith("."))


def archives(source: Path) -> Sequence[Path]:
    """The zip archives of the folder."""
    return files(source, "*.zip")
