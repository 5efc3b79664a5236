"""A labelled sample that a judge was already tried on: the test split of its run, or lines of `blpo judge`."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from blpo.config.settings_file import measured_by
from blpo.data.labels import label_reader
from blpo.metrics.shares import Outcome
from blpo.runs.judge_file import JudgeFile, read_judge_file
from state.errors import DataError
from state.sample import Label


def read_calibration(path: Path, judge: JudgeFile) -> Counter[tuple[Label, Outcome]]:
    """Count human labels with verdicts, from a run's verdicts/best.jsonl or from JSON lines with label and verdict.

    Lines without a label, with status `error`, or of a split other than test (prompts were chosen on it) don't count.
    Raises `DataError` naming what can't be used, also a run of another judge.
    """
    if path.is_dir():
        if measured_by(read_judge_file(path).settings) != measured_by(judge.settings):
            raise DataError(f"{path}: is the run of another judge, whose errors are others; give that of this judge")
        path = path / "verdicts" / "best.jsonl"
    read = label_reader(judge.task, None, ())
    counts: Counter[tuple[Label, Outcome]] = Counter()
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                try:
                    row: dict[str, Any] = json.loads(text)
                    if row.get("label") is None or row["status"] == "error" or row.get("split", "test") != "test":
                        continue
                    verdict = read(row["verdict"]) if row["status"] == "ok" else None
                    counts[read(row["label"]), verdict] += 1
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    what = error if type(error) is ValueError else "is no line with label, verdict and status"
                    raise DataError(f"{path}:{number}: {what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: can't be read ({getattr(error, 'strerror', None) or error})") from None
    if not counts:
        raise DataError(f"{path}: holds no judged sample of a test split with a label")
    return counts
