"""Audits of a run, as files in its directory: audit.json, and audit.TASK.json for a run of several tasks."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from blpo.audit.results import AuditResult
from state.errors import RunError

_RESULT = TypeAdapter(AuditResult)


def audit_place(folder: Path, task: str) -> Path:
    """Return the file of the audit of a task, "" for a single task."""
    return folder / (f"audit.{task}.json" if task else "audit.json")


def run_audits(run: Path, tasks: Sequence[str]) -> dict[str, AuditResult]:
    """Return the audits of a run by task, "" for a single task. Raises `RunError` for a damaged file."""
    places = {task: audit_place(run, task) for task in tasks or ("",)}
    return {task: _read(place, run) for task, place in places.items() if place.is_file()}


def _read(file: Path, run: Path) -> AuditResult:
    try:
        return _RESULT.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        raise RunError(f"{file} is damaged; write it again with `blpo audit {run}`") from None
