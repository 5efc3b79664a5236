"""Inputs of a judge: image files, folders, patterns, datasets, configs, and JSON lines on stdin.

Inputs are read as needed: nothing holds all samples, and a folder is walked while its images are judged.
"""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from blpo.data.column_proposal import image_columns
from blpo.data.tables import LABEL_SUFFIXES, METADATA_FILES, Table, has_table, open_table
from blpo.deployment.image_inputs import FileInput, FolderInput, SamplesInput
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.item_folders import ItemFoldersInput
from blpo.deployment.list_input import ListInput
from blpo.deployment.stdin_input import StdinInput
from blpo.deployment.table_input import InputColumns, TableInput
from state.errors import ConfigError, DataError
from state.sample import Sample, SplitName
from state.settings import Settings

STDIN = "-"


class Input(Protocol):
    """One input."""

    def count(self) -> int | None:
        """Return the number of samples; None if only reading would tell."""

    @property
    def may_be_labelled(self) -> bool:
        """True if the samples have human labels, as far as is known."""

    def samples(self) -> Iterator[Sample]:
        """Yield the samples in order, located but not read.

        An unreadable file, such as a dangling link or a pipe, is a sample too: reading the sample fails. Raises
        `DataError` for an input without samples.
        """


def inputs_of(
    names: Sequence[str], columns: InputColumns, labels: InputLabels, split: SplitName | None = None
) -> list[Input]:
    """Return the named inputs, with tables already open; `split` is a split of configs.

    Raises `DataError` for an input that does not exist or can't be opened, and `ConfigError` for a `split` without a
    config.
    """
    if split is not None and not all(is_config(Path(name)) for name in names):
        raise ConfigError(f"split {split}: only a config has splits; give a config.yaml alone")
    if names.count(STDIN) > 1:
        raise ConfigError("- is given twice, and stdin can be read only once")
    return [each for name in names for each in _inputs(name, columns, labels, split)]


def several_refused(place: str, count: int) -> ConfigError:
    """Return the error for a pair, or for more images, that a judge of single images gets."""
    if count > 2:
        return ConfigError(f"{place}: has {count} images, and this judge labels single images")
    return pairs_refused(place)


def pairs_refused(place: str) -> ConfigError:
    """Return the error for pairs that a judge of single images gets."""
    return ConfigError(f"{place}: is of pairs, and this judge labels single images; add --as pairwise to compare")


def samples_of(inputs: Iterable[Input]) -> Iterator[Sample]:
    """Yield all samples in order; a repeated id gets a number."""
    counts: Counter[str] = Counter()
    for source in inputs:
        for sample in source.samples():
            counts[sample.id] += 1
            number = counts[sample.id]
            yield sample if number == 1 else replace(sample, id=f"{sample.id}#{number}")


def count_of(inputs: Iterable[Input]) -> int | None:
    """Return the number of all samples; None if an input can't tell."""
    counts = [source.count() for source in inputs]
    return None if None in counts else sum(count or 0 for count in counts)


def _inputs(name: str, columns: InputColumns, labels: InputLabels, split: SplitName | None) -> Iterator[Input]:
    if name == STDIN:
        yield StdinInput(labels, columns.further)
        return
    if name.startswith("hub:"):
        yield _as_lists(TableInput.of(open_table(name), columns, labels), labels)
        return
    paths = [name] if os.path.lexists(name) else sorted(glob.iglob(name, recursive=True))
    if not paths:
        problem = "matches no file" if glob.has_magic(name) else "does not exist"
        raise DataError(f"{name}: {problem}; give images, folders or datasets")
    for path in map(Path, paths):
        yield _input(path, columns, labels, split)


def _input(path: Path, columns: InputColumns, labels: InputLabels, split: SplitName | None) -> Input:
    if is_config(path):
        return SamplesInput(_config_samples(path, labels, split))
    if path.is_dir():
        table = _table_of_images(path, columns) if has_table(path) else None
        if table is None:
            _refuse_images_alone(path, columns)
        if table is None and columns.several:
            return ItemFoldersInput(FolderInput(path))
        images = FolderInput(path, labels) if table is None else TableInput.of(table, columns, labels)
        return _as_lists(images, labels)
    if path.suffix.lower() in LABEL_SUFFIXES and path.is_file():
        return _as_lists(TableInput.of(open_table(str(path)), columns, labels), labels)
    if labels.task.kind == "ranking":
        raise DataError(f"{path}: is one image; give a folder with a folder for every list, or a table with lists")
    _refuse_images_alone(path, columns)
    return FileInput(path)


def _refuse_images_alone(path: Path, columns: InputColumns) -> None:
    """Raise `DataError` for images without a table, where the judge also sees something else, such as a reference."""
    if columns.further:
        names = " and ".join(columns.further)
        raise DataError(f"{path}: holds images alone, and the judge of this run also sees {names}; give a labels file")


def _as_lists(images: TableInput | FolderInput, labels: InputLabels) -> Input:
    """Return the input; for a judge of rankings the input's lists."""
    return ListInput(images, labels.task) if labels.task.kind == "ranking" else images


def _table_of_images(folder: Path, columns: InputColumns) -> Table | None:
    """Return the table of a folder; None for metadata of another kind, without a column of images."""
    table = open_table(str(folder))
    is_other = table.name in METADATA_FILES and not columns.images and not image_columns(table)
    return None if is_other else table


def is_config(path: Path) -> bool:
    """Return True for the YAML file of a config."""
    return path.suffix.lower() in (".yaml", ".yml") and path.is_file()


def _config_samples(path: Path, labels: InputLabels, split: SplitName | None) -> Sequence[Sample]:
    """Return the samples of a run with this config in table order, or one split, with labels in the judge's form."""
    from blpo.config.settings_file import load_settings
    from blpo.data.dataset import load_dataset, read_samples

    settings = load_settings(path)
    if settings.task_names or labels.name:
        return _samples_of_task(path, settings, labels, split)
    if settings.task.kind == "pairwise" and labels.task.kind in ("ordinal", "categorical"):
        raise pairs_refused(str(path))
    are_lists = labels.task.kind == settings.task.kind == "ranking"  # the config knows the best rank of its own data
    task = settings.task if are_lists else labels.task
    dataset = load_dataset(settings.data, task, settings.search.seed)
    if split is not None:
        return dataset.splits[split]
    rows = read_samples(settings.data, task).usable
    return [dataset.by_id[row.sample.id] for row in rows if row.sample.id in dataset.by_id]


def _samples_of_task(path: Path, settings: Settings, labels: InputLabels, split: SplitName | None) -> Sequence[Sample]:
    """Return the samples of the judge's task in a run with this config, with the ids of the table.

    Raises `ConfigError` for a judge and a config of which one alone has this task.
    """
    from blpo.data.run_dataset import dataset_of, of_task, read_tasks

    if labels.name not in settings.task_names:
        here = f"the tasks {', '.join(settings.task_names)}" if settings.task_names else "a single task"
        task_words = f"the task {labels.name}" if labels.name else "a single task"
        raise ConfigError(f"{path}: has {here}, and the judge is asked for {task_words}; give its labels file instead")
    dataset = of_task(dataset_of(settings), labels.name)
    rows = read_tasks(settings)[labels.name].usable
    by_item = {sample.item: replace(sample, id=sample.item, task="") for sample in dataset.by_id.values()}
    if split is not None:
        return [by_item[sample.item] for sample in dataset.splits[split]]
    return [by_item[row.sample.id] for row in rows if row.sample.id in by_item]
