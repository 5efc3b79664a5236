"""Corrections from Label Studio: the JSON export of a project that `blpo export --to label-studio` made."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blpo.data.corrections import Correction, raise_problems
from blpo.data.labels import label_reader
from blpo.data.message_text import display_text
from state.errors import DataError
from state.settings import TaskSettings


def read_label_studio(file: Path, task: TaskSettings) -> list[Correction]:
    """Read the corrections in a project's export (JSON, not JSON-MIN). Tasks without an answer are left out.

    A submitted answer with the label of the dataset is a confirmation.

    Raises `DataError` with all faulty answers: an unknown label, or different answers to the same sample.
    """
    read_label = label_reader(task, None, ())
    corrections: dict[str, Correction] = {}
    problems: list[str] = []
    for number, (sample_id, label, note) in enumerate(_answers(_tasks(file)), start=1):
        try:
            if sample_id is None:
                raise ValueError("has no sample_id; the answer belongs to another project")
            correction = Correction(sample_id, read_label(label), confirmed=True, note=note)
            first = corrections.setdefault(sample_id, correction)
            if first.label != correction.label:
                raise ValueError(
                    f"{first.label} and {correction.label}: settle the label in Label Studio, or delete an answer"
                )
        except ValueError as error:
            problems.append(f"{file.name}: answer {number} ({display_text(sample_id)}): {error}")
    if not corrections and not problems:
        problems = [f"{file.name}: nobody has answered a task"]
    raise_problems(problems)
    return list(corrections.values())


def _tasks(file: Path) -> list[dict[str, Any]]:
    try:
        tasks = json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: is no JSON ({error})") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "annotations" in task for task in tasks):
        raise DataError(f"{file}: is no export of Label Studio; export the project as JSON (not JSON-MIN)")
    return tasks


def _answers(tasks: list[dict[str, Any]]) -> Iterator[tuple[str | None, object, str]]:
    """Yield sample id, label and note of every answer that was not skipped."""
    for task in tasks:
        sample_id = (task.get("data") or {}).get("sample_id")
        for annotation in task["annotations"] or ():
            values = {part.get("from_name"): part.get("value") or {} for part in annotation.get("result") or ()}
            if annotation.get("was_cancelled") or "label" not in values:
                continue
            label = values["label"].get("number", next(iter(values["label"].get("choices") or ()), None))
            yield sample_id, label, " ".join(values.get("note", {}).get("text") or ())
