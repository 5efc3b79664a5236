"""Typed records from the JSON lines of a run directory."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

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
