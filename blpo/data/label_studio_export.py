"""What people answered in Label Studio: the JSON export of a project that `blpo export --to label-studio` made."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blpo.data.corrections import Correction
from blpo.data.labels import label_reader
from blpo.data.wording import shown
from state.errors import DataError
from state.settings import TaskSettings


def read_label_studio(file: Path, task: TaskSettings) -> list[Correction]:
    """Read the corrections of a project's export (JSON, not JSON-MIN); tasks that nobody answered are left out.

    Raises `DataError` with all tasks that can't be used: an unknown label, or people who answered differently.
    """
    try:
        tasks = json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: is no JSON ({error})") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "annotations" in task for task in tasks):
        raise DataError(f"{file}: is no export of Label Studio; export the project as JSON (not JSON-MIN)")
    read = label_reader(task, None, ())
    found: dict[str, Correction] = {}
    problems: list[str] = []
    for number, (sample_id, label, note) in enumerate(_answers(tasks), start=1):
        try:
            if sample_id is None:
                raise ValueError("has no sample_id: it is of another project")
            given = Correction(sample_id, read(label), note=note)
            if found.setdefault(sample_id, given).label != given.label:
                raise ValueError(f"{found[sample_id].label} and {given.label}: settle it there, or delete one answer")
        except ValueError as error:
            problems.append(f"{file.name}: answer {number} ({shown(sample_id)}): {error}")
    if not found and not problems:
        problems = [f"{file.name}: nobody has answered a task"]
    if problems:
        raise DataError(problems[0] + (f" (and {len(problems) - 1} more)" if problems[1:] else ""), tuple(problems))
    return list(found.values())


def _answers(tasks: list[dict[str, Any]]) -> Iterator[tuple[str | None, object, str]]:
    """Sample id, label and note of each answer that was not skipped."""
    for task in tasks:
        sample_id = (task.get("data") or {}).get("sample_id")
        for annotation in task["annotations"] or ():
            given = {part.get("from_name"): part.get("value") or {} for part in annotation.get("result") or ()}
            if annotation.get("was_cancelled") or "label" not in given:
                continue
            label = given["label"].get("number", next(iter(given["label"].get("choices") or ()), None))
            yield sample_id, label, " ".join(given.get("note", {}).get("text") or ())
