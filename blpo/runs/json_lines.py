"""Readers of JSON lines: typed records of a file that was written whole, and objects of a log.

A log grows line by line, so a kill or a loss of power may cut a line off.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from state.errors import RunError

_R = TypeVar("_R")


def read_json_lines(file: Path, adapter: TypeAdapter[_R]) -> Iterator[_R]:
    """Yield one record a line; raises `RunError` with the line's number for a damaged line, and `OSError`."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        if line:
            try:
                yield adapter.validate_json(line)
            except ValidationError:
                raise RunError(f"{file}:{number} is damaged; `blpo resume` writes the run's files again") from None


def read_log_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each line of a log, without the damaged lines; raises `OSError`."""
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            yield content
