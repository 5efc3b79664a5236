"""Files of a set as downloaded."""

from collections.abc import Sequence
from pathlib import Path

from state.errors import DataError


def only_file(source: Path, pattern: str, content: str) -> Path:
    """Return the only file that matches. Raises `DataError` for no file or several files."""
    files = matching_files(source, pattern)
    if len(files) != 1:
        state = f"has {', '.join(file.name for file in files)}; keep one" if files else "has none"
        raise DataError(f"{source}: {state} ({content} is expected, {pattern})")
    return files[0]


def matching_files(source: Path, pattern: str) -> Sequence[Path]:
    """Return all files of the folder that match, sorted. Raises `DataError` if `source` is no folder."""
    if not source.is_dir():
        raise DataError(
            f"{source}: "
            + ("is not a folder" if source.exists() else "does not exist")
            + "; --source names the folder with the files as downloaded"
        )
    return sorted(file for file in source.glob(pattern) if file.is_file() and not file.name.startswith("."))


def zip_archives(source: Path) -> Sequence[Path]:
    """Return the zip archives of the folder."""
    return matching_files(source, "*.zip")
