"""Corrections of labels by people who have seen the judge's disagreements: a new version of the dataset's labels."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import Any

from blpo.data.corrections import (
    Correction,
    read_corrections,
    require_sample_ids,
    require_whole_rankings,
    write_corrections,
)
from blpo.data.dataset import Dataset
from blpo.data.label_studio_export import read_label_studio
from blpo.data.run_dataset import dataset_of
from blpo.data.tables import label_files
from blpo.reports.disagreements import require_verdicts
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from state.errors import DataError, RunError
from state.settings import Settings

NOT_UNTOUCHED = (
    "{test} of {size} labels of the test split were corrected after a judge's verdicts on them had been seen: it is no"
    " longer untouched, and its numbers favour that judge"
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a dataset with corrected labels."""

    file: Path
    """File for `data.corrections`; the version's record lies beside the file, as .json."""
    number: int
    changed: dict[str, int]
    """Number of corrected labels by split."""
    confirmed: int
    """Number of labels that people checked and confirmed."""
    untouched: int
    """Number of rows without a change and without a confirmation. The version leaves them out."""
    notes: tuple[str, ...]
    """Cautions for results on the version."""


def correct(run: str | Path, file: Path, by: str) -> Version:
    """Record the corrections of `file` as a new version of the run's dataset.

    `file` has the columns id, label and optionally confirmed and note, or is Label Studio's JSON. A row with an
    unchanged label counts only if the row is confirmed. The version also holds the corrections of the last version of
    the same labels. The dataset and earlier versions stay unchanged. Raises `DataError` for an unusable row and for a
    file without a change, and `RunError` for a folder that is no run.
    """
    path = Path(run)
    record = RunRecord.read(path)
    if record.settings.task_names:
        raise RunError(f"{path}: has several tasks, and corrections are of one; write the labels into the labels files")
    settings = record.settings
    dataset = dataset_of(settings)
    if dataset.fingerprint != record.info.dataset:
        raise RunError(f"{path}: the dataset is not the one that the run began with; restore it")
    reader = read_label_studio if file.suffix.lower() == ".json" else read_corrections
    corrections = reader(file, settings.task)
    labels = {correction.id: correction.label for correction in corrections}
    require_sample_ids(labels, dataset.splits, file)
    require_whole_rankings(labels, dataset.splits, settings.task, file)
    require_verdicts(record)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    run_name = path.absolute().name
    answers = [_completed(c, record.best.get(c.id), dataset, by or c.by, at, run_name) for c in corrections]
    own = [c for c in answers if c.changes or c.confirmed]
    if not own:
        raise DataError(
            f"{file}: no label is changed and none is confirmed; change labels, or write yes into the column confirmed"
        )
    stem = _stem(settings, path)
    base = _last_version(stem, settings) or settings.data.corrections
    earlier = {c.id: c for c in read_corrections(Path(base), settings.task)} if base else {}
    together = {**earlier, **{c.id: c for c in own}}
    new, number = write_corrections(stem, list(together.values()))
    counts: dict[str, int] = {name: sum(c.split == name and c.changes for c in own) for name in dataset.splits}
    test = sum(c.split == "test" and c.changes for c in together.values())
    notes = (NOT_UNTOUCHED.format(test=test, size=len(dataset.splits["test"])),) if test else ()
    version = Version(new, number, counts, sum(not c.changes for c in own), len(answers) - len(own), notes)
    _record(version, base, settings, path, by, at)
    return version


def _completed(
    correction: Correction, verdict: VerdictRow | None, dataset: Dataset, by: str, at: str, run: str
) -> Correction:
    """Return the correction with split, earlier label, verdict, author and run."""
    split = next(name for name, samples in dataset.splits.items() if any(s.id == correction.id for s in samples))
    before = dataset.by_id[correction.id].label
    judge = "" if verdict is None or verdict.verdict is None else verdict.verdict
    return replace(
        correction, label_before="" if before is None else before, judge=judge, split=split, by=by, at=at, run=run
    )


def _last_version(stem: Path, settings: Settings) -> Path | None:
    """Return the newest version of the same labels; a second column or task of the table has separate versions."""
    versions: dict[int, Path] = {}
    for file in stem.parent.glob(f"{escape(stem.name)}.corrections.v*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # no record of a version
            record = json.loads(file.read_text(encoding="utf-8"))
            of_these = all(record[name] == value for name, value in _labels_of(settings).items())
            if of_these and file.with_suffix(".csv").exists():
                versions[int(record["version"])] = file.with_suffix(".csv")
    return versions[max(versions)] if versions else None


def _labels_of(settings: Settings) -> dict[str, Any]:
    """Return the identity of a run's labels."""
    data, task = settings.data, settings.task
    scale = [task.min, task.max] if task.kind == "ordinal" else list(task.values)
    return {"dataset": data.path, "column": data.label, "threshold": data.threshold, "task": task.kind, "scale": scale}


def _stem(settings: Settings, run: Path) -> Path:
    """Return the stem of the versions' names: the labels file, or a file beside the run for other datasets."""
    path = Path(settings.data.path or "")
    if settings.data.path and path.is_file():
        return path.with_suffix("")
    files = label_files(path) if settings.data.path else []
    return files[0].with_suffix("") if files else run.absolute().parent / settings.run_name


def _record(version: Version, base: str | Path | None, settings: Settings, run: Path, by: str, at: str) -> None:
    """Write the record of the version beside the version."""
    record = {
        "version": version.number,
        **_labels_of(settings),
        "based_on": str(base) if base else None,
        "run": str(run.absolute()),
        "by": by,
        "at": at,
        "changed": version.changed,
        "confirmed": version.confirmed,
        "notes": version.notes,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    version.file.with_suffix(".json").write_text(text, encoding="utf-8")
