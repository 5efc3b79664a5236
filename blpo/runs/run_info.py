"""run.json: identity of a run, and place of the checkpoints."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from state.errors import RunError
from state.result import FORMAT
from state.run_lineage import Lineage
from state.settings import POSTGRES, Settings

BESIDE = "../checkpoints.sqlite"
"""Default place of the checkpoints, seen from the run directory: the runs of one folder share the file."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Content of run.json."""

    thread_id: Annotated[str, Field(min_length=1)]
    """UUID of the LangGraph thread."""
    config_hash: str
    dataset: str
    """Fingerprint of the dataset."""
    checkpoints: Annotated[str, Field(pattern=r"^[^\x00]+$")]
    """SQLite file with the checkpoints: relative to the run directory if the file lies beside the directory, else
    absolute. `postgres` if the team's database holds checkpoints and answers."""
    created: str
    """ISO 8601, UTC."""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Time spent so far, over all processes of the run."""
    lineage: Lineage | None = None
    """Origin of run and labels."""
    method: str = "blpo"
    """Name of the search: `blpo`, or a method of an experiment."""
    format: int = FORMAT


_INFO = TypeAdapter(RunInfo)


def read_info(directory: Path) -> RunInfo:
    """Read run.json of a run directory; raises `RunError` for another folder, a newer format or a damaged file."""
    file = directory / "run.json"
    try:
        text = file.read_bytes()
        content = json.loads(text)
    except FileNotFoundError:
        reason = "has no run.json" if directory.is_dir() else "does not exist"
        raise RunError(f"{directory} is no run directory: it {reason}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} can't be read: {getattr(error, 'strerror', None) or error}") from None
    number = content.get("format") if isinstance(content, dict) else None
    if number != FORMAT:
        raise RunError(
            f"{directory} has run format {number}, and this version reads format {FORMAT}; use the version that made it"
        )
    try:
        return _INFO.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RunError(f"{file} is damaged: {field}: {first['msg']}; restore the file") from None


def recorded_checkpoints(settings: Settings, directory: Path) -> str:
    """Return `RunInfo.checkpoints` for a run in `directory`."""
    if settings.run.checkpoints is None:
        return BESIDE
    if settings.run.in_postgres:
        return POSTGRES
    file = Path(settings.run.checkpoints).absolute()
    return f"../{file.name}" if file.parent.resolve() == directory.resolve().parent else str(file)
