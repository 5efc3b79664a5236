"""Corrections of labels, made by people who saw a judge's verdicts. A corrections file is a version of a dataset.

The dataset stays unchanged. Corrections are applied after the splits are drawn, so that all versions have the same
splits and can be compared.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from blpo.data.columns import require_column
from blpo.data.labels import as_text, label_reader
from blpo.data.message_text import display_text
from blpo.data.tables import open_table
from state.errors import DataError
from state.ranking import ranks_of
from state.sample import Label, Sample, SplitName
from state.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class Correction:
    """New label of a sample, or the confirmation of a label."""

    id: str
    label: Label
    label_before: Label | str = ""
    """Label in the original dataset."""
    judge: Label | str = ""
    """Verdict that the person saw."""
    split: str = ""
    confirmed: bool = False
    """True if the person says that the label is right."""
    note: str = ""
    """Reason of the person."""
    by: str = ""
    at: str = ""
    """Time, ISO 8601, UTC."""
    run: str = ""
    """Run with the verdicts that the person saw."""

    @property
    def changes(self) -> bool:
        """True if the new label differs from the label before."""
        return str(self.label) != str(self.label_before)


Splits = Mapping[SplitName, tuple[Sample, ...]]
_OPTIONAL_COLUMNS = tuple(field.name for field in fields(Correction) if field.name not in ("id", "label"))
_CONFIRMATIONS = {"yes": True, "y": True, "true": True, "1": True, "x": True, "": False}
_CONFIRMATIONS |= {"no": False, "n": False, "false": False, "0": False}


def read_corrections(file: Path, task: TaskSettings) -> list[Correction]:
    """Read a .csv, .jsonl or .parquet file with columns id and label. The other fields of `Correction` are optional.

    Raises `DataError` with all faulty rows: no id, a repeated id, a label outside the task, or a cell of the column
    `confirmed` that is neither yes nor no.
    """
    if not file.exists():
        raise DataError(f"{file}: does not exist; give a file with the columns id and label")
    table = open_table(str(file))
    ids, labels = (table.values(require_column(table, name, "corrections")) for name in ("id", "label"))
    options = {name: table.values(name) for name in _OPTIONAL_COLUMNS if name in table.columns}
    read_label = label_reader(task, None, labels)
    corrections: dict[str, Correction] = {}
    problems = list(table.problems)
    for index in range(len(table.lines)):
        name = as_text(ids[index])
        texts: dict[str, Any] = {key: as_text(values[index]) or "" for key, values in options.items()}
        try:
            confirmed = _is_confirmed(texts.pop("confirmed", ""))
            correction = Correction(_new_id(name, corrections), read_label(labels[index]), confirmed=confirmed)
        except ValueError as error:
            problems.append(f"{table.place(index)}: {error}")
            continue
        corrections[correction.id] = replace(correction, **texts)
    if not corrections and not problems:
        problems = [f"{table.name}: has no rows"]
    raise_problems(problems)
    return list(corrections.values())


def apply_corrections(splits: Splits, file: str | None, task: TaskSettings) -> Splits:
    """Return the splits with the labels of a corrections file. Raises `DataError`, also for an id of no sample."""
    if file is None:
        return splits
    labels = {correction.id: correction.label for correction in read_corrections(Path(file), task)}
    require_sample_ids(labels, splits, Path(file))
    require_whole_rankings(labels, splits, task, Path(file))
    return MappingProxyType(
        {name: tuple(_relabelled(sample, labels) for sample in samples) for name, samples in splits.items()}
    )


def require_sample_ids(ids: Mapping[str, object], splits: Splits, file: Path) -> None:
    """Raise `DataError` for ids that no sample has."""
    samples = {sample.id for split in splits.values() for sample in split}
    raise_problems(
        [f"{file.name}: id {display_text(name)} is no sample of the dataset" for name in ids if name not in samples]
    )


def require_whole_rankings(labels: Mapping[str, Label], splits: Splits, task: TaskSettings, file: Path) -> None:
    """Raise `DataError` for rankings of another number of images than their lists have, and for equal images alone."""
    if task.kind != "ranking":
        return
    sizes = {sample.id: len(sample.images) for split in splits.values() for sample in split}
    ranks = {name: ranks_of(str(label)) for name, label in labels.items()}
    raise_problems(
        [
            f"{file.name}: label {labels[name]} ranks {len(places)} images, and the list {display_text(name)} has"
            f" {sizes[name]}"
            for name, places in ranks.items()
            if len(places) != sizes[name]
        ]
        + [f"{file.name}: label {labels[name]} has no order" for name, places in ranks.items() if len(set(places)) < 2]
    )


def write_corrections(stem: Path, corrections: Sequence[Correction]) -> tuple[Path, int]:
    """Write the next version, `STEM.corrections.vN.csv`. Return the file and N (the original dataset is version 1).

    Raises `DataError` if the file can't be written.
    """
    version = 2
    while True:
        file = stem.with_name(f"{stem.name}.corrections.v{version}.csv")
        try:
            with file.open("x", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, [field.name for field in fields(Correction)], lineterminator="\n")
                writer.writeheader()
                writer.writerows(
                    asdict(correction) | {"confirmed": "yes" if correction.confirmed else ""}
                    for correction in corrections
                )
            return file, version
        except FileExistsError:
            version += 1
        except OSError as error:
            raise DataError(f"{file}: can't be written ({error.strerror})") from error


def _new_id(name: str | None, corrections: Mapping[str, object]) -> str:
    if name is None:
        raise ValueError("id is missing")
    if name in corrections:
        raise ValueError(f"id {display_text(name)} is given twice")
    return name


def _is_confirmed(text: str) -> bool:
    try:
        return _CONFIRMATIONS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"confirmed is {display_text(text)}; write yes, or leave the cell empty") from None


def _relabelled(sample: Sample, labels: Mapping[str, Label]) -> Sample:
    return replace(sample, label=labels[sample.id], rating=None) if sample.id in labels else sample


def raise_problems(problems: Sequence[str]) -> None:
    """Raise `DataError` with all problems, if any. The message names the first problem."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more, tuple(problems))
