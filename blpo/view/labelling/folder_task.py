"""Task and labels file of a folder of images that is labelled for the first time."""

import csv
import io
import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from blpo.storage.whole_files import write_whole
from blpo.view.labelling.answer_log import FOLDER
from state.errors import DataError
from state.sample import Label
from state.settings import TaskSettings

LABELS = "labels.csv"
_TASK = TypeAdapter(TaskSettings)
_SCALE = re.compile(r"\s*(-?\d{1,3})\s*(?:-|to|–)\s*(-?\d{1,3})\s*")
_MOST_LABELS = 50


def folder_task(folder: Path) -> TaskSettings | None:
    """Return the task that a person gave; None for a folder without one. Raises `DataError` for a damaged file."""
    file = folder / FOLDER / "task.json"
    try:
        return _TASK.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise DataError(f"{file} can't be read; remove it, and say again what the labels are") from None


def give_task(folder: Path, words: str) -> TaskSettings:
    """Record the task in `words`: `1-5`, or labels with commas between. Raises `DataError` for anything else."""
    scale = _SCALE.fullmatch(words)
    labels = [label.strip() for label in words.split(",") if label.strip()]
    content: dict[str, object] = {"kind": "categorical", "labels": labels}
    if scale:
        content = {"kind": "ordinal", "min": int(scale[1]), "max": int(scale[2])}
    elif len(labels) > _MOST_LABELS:
        raise DataError(f"{len(labels)} labels are too many for a page; give at most {_MOST_LABELS}")
    try:
        task = _TASK.validate_python(content)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise DataError(
            f"the labels can't be used: {reason}; write labels with commas, or a scale such as 1-5"
        ) from None
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    write_whole(folder / FOLDER / "task.json", json.dumps(content, ensure_ascii=False))
    return task


def may_write_labels(folder: Path) -> bool:
    """Return True if the folder has no labels file, or the file that was written here last."""
    file = folder / LABELS
    try:
        return sha256(file.read_bytes()).hexdigest() == (folder / FOLDER / "written").read_text(encoding="ascii")
    except FileNotFoundError:
        return not file.exists()
    except (OSError, ValueError):
        return False


def write_labels(folder: Path, labels: Mapping[str, Label]) -> Path:
    """Write labels.csv for `blpo init`; raises `DataError` for a file of other people."""
    if not may_write_labels(folder):
        raise DataError(f"{folder / LABELS} was not written here, and is not replaced; move it away first")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("image", "label"), *labels.items()])
    content = text.getvalue().encode()
    write_whole(folder / FOLDER / "written", sha256(content).hexdigest())
    write_whole(folder / LABELS, content)
    return folder / LABELS
