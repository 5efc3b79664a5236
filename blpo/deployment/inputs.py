"""What `blpo judge` is given: image files, folders, patterns, datasets, configs, and JSON lines on stdin.

Each is read as it is needed: nothing holds all samples, and a folder is walked while its images are judged.
"""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from blpo.data.sources import IMAGE_SUFFIXES, file_sample
from blpo.data.tables import LABEL_FILES, open_table
from blpo.deployment.input_rows import Columns, Labels, StdinInput, TableInput, UnusableImage
from state.errors import ConfigError, DataError
from state.sample import Sample, SplitName

DATASET_FILES = (*LABEL_FILES, "dataset_dict.json", "state.json")
"""One of these makes a folder a dataset."""

TABLE_SUFFIXES = {".csv", ".jsonl", ".parquet"}
STDIN = "-"


class Input(Protocol):
    """One input."""

    def count(self) -> int | None:
        """How many samples it has; None where only reading it would tell."""

    @property
    def may_be_labelled(self) -> bool:
        """Whether its samples have human labels, as far as that is known."""

    def samples(self) -> Iterator[Sample]:
        """The samples in order, located but not read.

        What lies there but can't be read, such as a dangling link or a pipe, is a sample too: it fails when it is read.
        Raises `DataError` where there is none.
        """


@dataclass(frozen=True, slots=True)
class FileInput:
    """One image."""

    path: Path
    may_be_labelled = False

    def count(self) -> int:
        """1."""
        return 1

    def samples(self) -> Iterator[Sample]:
        """The image."""
        yield file_sample(self.path)


@dataclass(frozen=True, slots=True)
class FolderInput:
    """All images below a folder, by name, folder by folder."""

    folder: Path
    may_be_labelled = False

    def count(self) -> int:
        """Walk it once."""
        return sum(1 for _ in self._images([]))

    def samples(self) -> Iterator[Sample]:
        """The images, then what could not be searched."""
        unreadable: list[OSError] = []
        empty = True
        for path in self._images(unreadable):
            empty = False
            yield file_sample(path)
        for error in unreadable:
            name = str(error.filename)
            yield Sample(name, (UnusableImage(name, f"can't be read ({error.strerror})"),), None)
        if empty and not unreadable:
            raise DataError(f"{self.folder}: holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}) and no labels file")

    def _images(self, unreadable: list[OSError]) -> Iterator[Path]:
        for path, folders, files in os.walk(self.folder, onerror=unreadable.append):
            folders.sort()
            for name in sorted(files):
                if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                    yield Path(path, name)


@dataclass(frozen=True, slots=True)
class SamplesInput:
    """The samples of a config's dataset."""

    held: Sequence[Sample]
    may_be_labelled = True

    def count(self) -> int:
        """How many there are."""
        return len(self.held)

    def samples(self) -> Iterator[Sample]:
        """All, in the order of the table."""
        return iter(self.held)


def inputs_of(given: Sequence[str], columns: Columns, labels: Labels, split: SplitName | None = None) -> list[Input]:
    """The inputs that are named, tables already open; `split` is that of configs.

    Raises `DataError` for one that does not exist or can't be opened, and `ConfigError` for a `split` without a config.
    """
    if split is not None and not all(_is_config(Path(name)) for name in given):
        raise ConfigError("--split: only a config says which samples are in which split; give a config.yaml alone")
    if given.count(STDIN) > 1:
        raise ConfigError("- is given twice, and stdin can be read only once")
    return [found for name in given for found in _inputs(name, columns, labels, split)]


def require_labels(inputs: Iterable[Input]) -> None:
    """Raise `DataError` where no sample can have a label."""
    if not any(given.may_be_labelled for given in inputs):
        raise DataError("--gate: the inputs have no labels; give a dataset with a label column, or leave the gate out")


def samples_of(inputs: Iterable[Input]) -> Iterator[Sample]:
    """All samples in order; an id that was there before gets a number."""
    seen: Counter[str] = Counter()
    for given in inputs:
        for sample in given.samples():
            seen[sample.id] += 1
            times = seen[sample.id]
            yield sample if times == 1 else replace(sample, id=f"{sample.id}#{times}")


def count_of(inputs: Iterable[Input]) -> int | None:
    """How many samples there are in all; None where an input can't tell."""
    counts = [given.count() for given in inputs]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _inputs(name: str, columns: Columns, labels: Labels, split: SplitName | None) -> Iterator[Input]:
    if name == STDIN:
        yield StdinInput(labels)
        return
    paths = [name] if os.path.lexists(name) else sorted(glob.iglob(name, recursive=True))
    if not paths:
        what = "matches no file" if glob.has_magic(name) else "does not exist"
        raise DataError(f"{name}: {what}; give images, folders or datasets")
    for path in map(Path, paths):
        yield _input(path, columns, labels, split)


def _input(path: Path, columns: Columns, labels: Labels, split: SplitName | None) -> Input:
    if _is_config(path):
        return SamplesInput(_config_samples(path, labels, split))
    is_dataset = path.is_dir() and any((path / name).exists() for name in DATASET_FILES)
    if is_dataset or (path.suffix.lower() in TABLE_SUFFIXES and path.is_file()):
        return TableInput.of(open_table(str(path)), columns, labels)
    return FolderInput(path) if path.is_dir() else FileInput(path)


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml") and path.is_file()


def _config_samples(path: Path, labels: Labels, split: SplitName | None) -> Sequence[Sample]:
    """What a run of this config reads, in the order of its table, or one split; labels as the judge's task has them."""
    from blpo.config.settings_file import load_settings
    from blpo.data.dataset import load_dataset, read_samples

    settings = load_settings(path)
    dataset = load_dataset(settings.data, labels.task, settings.search.seed)
    if split is not None:
        return dataset.splits[split]
    rows, _ = read_samples(settings.data, labels.task)
    return [dataset.by_id[row.sample.id] for row in rows if row.sample.id in dataset.by_id]
