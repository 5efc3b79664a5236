"""Labelled samples with verdicts of the same judge: the test split of a run, or lines of `blpo judge`."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.config.config_hash import measuring_settings
from blpo.data.labels import as_text, label_reader
from blpo.metrics.shares import Outcome
from blpo.runs.judge_file import JudgeFile, read_judge_file
from blpo.runs.run_record import RunRecord
from state.errors import DataError
from state.sample import Label

_Pair = tuple[Label, Outcome]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Counts of pairs of human label and verdict."""

    counts: Counter[_Pair]
    groups: Sequence[Counter[_Pair]]
    """Counts of each group of several samples."""


def read_calibration(path: Path, judge: JudgeFile, name: str = "") -> Calibration:
    """Count pairs of human label and verdict in a run, or in JSON lines with label and verdict.

    For a judge of several tasks, `name` is the task: samples of other tasks don't count.

    Lines without a label, with status `error`, or of a split other than test (the prompt was chosen on these samples)
    don't count. Raises `DataError` naming a bad line, also for a run of another judge.
    """
    task = judge.of_task(name).task
    if task.kind == "ranking":
        raise DataError(f"{path}: corrects the shares of labels, and rankings have no shares; leave out --calibration")
    parse = label_reader(task, None, ())
    pairs = list(_run_pairs(path, judge, name) if path.is_dir() else _file_pairs(path, parse, name))
    if not pairs:
        of_task = f" of the task {name}" if name else ""
        raise DataError(f"{path}: holds no judged sample{of_task} of a test split with a label")
    groups: dict[str, Counter[_Pair]] = {}
    for group, pair in pairs:
        if group is not None:
            groups.setdefault(group, Counter())[pair] += 1
    several = [counts for counts in groups.values() if counts.total() > 1]
    return Calibration(Counter(pair for _, pair in pairs), several)


def _run_pairs(directory: Path, judge: JudgeFile, name: str) -> Iterator[tuple[str | None, _Pair]]:
    """Yield group, human label and verdict of the run's test split; raises `DataError` for the run of another judge."""
    if measuring_settings(read_judge_file(directory).settings) != measuring_settings(judge.settings):
        raise DataError(f"{directory}: is the run of another judge, with other errors; give a run of this judge")
    for row in RunRecord.read(directory).best.values():
        is_own = not name or row.id.startswith(f"{name}/")
        if is_own and row.split == "test" and row.status != "error":
            yield row.group, (row.label, row.answer)


def _file_pairs(file: Path, parse: Callable[[Any], Label], name: str) -> Iterator[tuple[str | None, _Pair]]:
    """Yield group, human label and verdict per line; `parse` turns JSON's value into a label of the task."""
    try:
        with file.open(encoding="utf-8") as lines:
            for number, text in enumerate(lines, start=1):
                try:
                    row: dict[str, Any] = json.loads(text)
                    if name and row.get("task") != name:
                        continue
                    if row.get("label") is None or row["status"] == "error" or row.get("split", "test") != "test":
                        continue
                    disagrees = row["verdict"] is None and bool(row.get("orders"))  # a pair, an outcome of its own
                    has_label = row["status"] == "ok" and not disagrees
                    pair = parse(row["label"]), parse(row["verdict"]) if has_label else None
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    problem = error if type(error) is ValueError else "is no line with label, verdict and status"
                    raise DataError(f"{file}:{number}: {problem}") from None
                yield as_text(row.get("group")), pair
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: can't be read ({getattr(error, 'strerror', None) or error})") from None
