"""Labels that people corrected after they saw a judge's verdicts: a version of a dataset, in a file beside it.

The dataset stays as it is. Corrections are applied once its splits are drawn, so that all versions have the same splits
and can be compared.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType

from blpo.data.labels import as_text, label_reader
from blpo.data.rows import require_column
from blpo.data.tables import open_table
from blpo.data.wording import shown
from state.errors import DataError
from state.sample import Label, Sample, SplitName
from state.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class Correction:
    """One sample's label as people see it now; where it equals the one before, they confirmed it."""

    id: str
    label: Label
    label_before: Label | str = ""
    """In the dataset as it was."""
    judge: Label | str = ""
    """The judge's verdict, which they had seen."""
    split: str = ""
    note: str = ""
    """Why."""
    by: str = ""
    at: str = ""
    """When; ISO 8601, UTC."""
    run: str = ""
    """Whose verdicts they had seen."""

    @property
    def changes(self) -> bool:
        """Whether it is another label than before."""
        return str(self.label) != str(self.label_before)


Splits = Mapping[SplitName, tuple[Sample, ...]]
_TOLD = tuple(field.name for field in fields(Correction) if field.name not in ("id", "label"))


def read_corrections(file: Path, task: TaskSettings) -> list[Correction]:
    """Read a .csv, .jsonl or .parquet file with the columns id and label, and those of `Correction` that it has.

    Raises `DataError` with all rows that can't be used: no id, an id given twice, or a label that the task has not.
    """
    if not file.exists():
        raise DataError(f"{file}: does not exist; give a file with the columns id and label")
    table = open_table(str(file))
    ids, labels = (table.values(require_column(table, name, "corrections")) for name in ("id", "label"))
    told = {name: table.values(name) for name in _TOLD if name in table.columns}
    read = label_reader(task, None, labels)
    found: dict[str, Correction] = {}
    problems = list(table.problems)
    for index, line in enumerate(table.lines):
        name = as_text(ids[index])
        try:
            correction = Correction(_new(name, found), read(labels[index]))
        except ValueError as error:
            problems.append(f"{table.name}:{line}: {error}")
            continue
        found[correction.id] = replace(correction, **{key: as_text(told[key][index]) or "" for key in told})
    if not found and not problems:
        problems = [f"{table.name}: has no rows"]
    _raise_if(problems)
    return list(found.values())


def corrected(splits: Splits, file: str | None, task: TaskSettings) -> Splits:
    """The splits with the labels of a corrections file; raises `DataError`, also for an id that is in no split."""
    if file is None:
        return splits
    labels = {correction.id: correction.label for correction in read_corrections(Path(file), task)}
    require_known(labels, splits, Path(file))
    return MappingProxyType(
        {name: tuple(_relabelled(sample, labels) for sample in samples) for name, samples in splits.items()}
    )


def require_known(ids: Mapping[str, object], splits: Splits, file: Path) -> None:
    """Raise `DataError` for ids that no sample has."""
    known = {sample.id for samples in splits.values() for sample in samples}
    _raise_if([f"{file.name}: id {shown(name)} is no sample of the dataset" for name in ids if name not in known])


def write_corrections(stem: Path, corrections: Sequence[Correction]) -> tuple[Path, int]:
    """Write the next version, `STEM.corrections.vN.csv`; returns it and N (the dataset as it was is version 1).

    Raises `DataError` where it can't be written.
    """
    version = 2
    while True:
        file = stem.with_name(f"{stem.name}.corrections.v{version}.csv")
        try:
            with file.open("x", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, [field.name for field in fields(Correction)], lineterminator="\n")
                writer.writeheader()
                writer.writerows(asdict(correction) for correction in corrections)
            return file, version
        except FileExistsError:
            version += 1
        except OSError as error:
            raise DataError(f"{file}: can't be written ({error.strerror})") from error


def _new(name: str | None, found: Mapping[str, object]) -> str:
    if name is None:
        raise ValueError("id is missing")
    if name in found:
        raise ValueError(f"id {shown(name)} is given twice")
    return name


def _relabelled(sample: Sample, labels: Mapping[str, Label]) -> Sample:
    return replace(sample, label=labels[sample.id]) if sample.id in labels else sample


def _raise_if(problems: Sequence[str]) -> None:
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more, tuple(problems))
