"""Dataset of a run: of its single task, or of all its tasks together.

Samples of several tasks have ids that begin with the task's name. An image is in one split for all tasks: tasks are
divided in order, and a group that an earlier task has placed stays in its split.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from blpo.data.dataset import SPLITS, Dataset, divide, limited, load_dataset, read_samples, searched, summarised
from blpo.data.example_draw import with_examples_drawn
from blpo.data.message_text import in_task
from blpo.data.rows import Row, TableRows
from blpo.data.same_images import join_same_images
from state.errors import DataError
from state.sample import Sample, SplitName
from state.settings import Settings


def dataset_of(settings: Settings) -> Dataset:
    """Read the dataset of a run; raises `DataError` with all problems (the first hundred and a count of the rest)."""
    return with_examples_drawn(_dataset_of(settings), settings)


def _dataset_of(settings: Settings) -> Dataset:
    if not settings.task_names:
        return searched(load_dataset(settings.data, settings.task, settings.search.seed), settings.search)
    if settings.only:
        return _of_tasks(_dataset_of(settings.model_copy(update={"only": ()})), settings.only)
    rows = read_tasks(settings)
    problems = lines_by_task({name: each.problems for name, each in rows.items()}, settings)
    if problems:
        raise DataError(*summarised(problems))
    dataset = searched(divide_tasks({name: each.usable for name, each in rows.items()}, settings), settings.search)
    warnings = lines_by_task({name: each.warnings for name, each in rows.items()}, settings)
    return replace(dataset, warnings=(*dict.fromkeys((*warnings, *dataset.warnings)),))


def read_tasks(settings: Settings) -> dict[str, TableRows]:
    """Read the rows of all tasks, by task; the ids are those of the tables.

    A task whose table can't be opened has the problem, and no row.
    """
    return {name: _read_task(settings.of_task(name)) for name in settings.task_names}


def lines_by_task(lines: Mapping[str, Sequence[str]], settings: Settings) -> list[str]:
    """Return lines about tasks, each with the task's name in front.

    Criteria have one table: a line about all criteria stands there once, without a name.
    """
    named = [(name, line) for name, own in lines.items() for line in own]
    counts = Counter(line for own in lines.values() for line in dict.fromkeys(own))
    shared = {line for line, count in counts.items() if settings.criteria and count == len(lines)}
    return list(dict.fromkeys(line if line in shared else in_task(name, line) for name, line in named))


def divide_tasks(rows: Mapping[str, Sequence[Row]], settings: Settings) -> Dataset:
    """Draw the splits of all tasks. Raises `DataError` for a task with an empty split or a single class."""
    joined = _with_common_groups(rows, settings)
    placed: dict[str, SplitName] = {}
    set_aside: set[str] = set()
    parts: dict[str, Dataset] = {}
    for name, own in joined.items():
        task = settings.of_task(name)
        try:
            parts[name] = divide(own, task.data, task.task, settings.search.seed, placed, set_aside)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        groups = [(s.group, split) for split, samples in parts[name].splits.items() for s in samples]
        placed |= {group: split for group, split in groups if group is not None and group not in placed}
        set_aside |= {sample.group for sample in parts[name].calibration if sample.group is not None}
    splits = {
        split: tuple(_of_task(sample, name) for name, part in parts.items() for sample in part.splits[split])
        for split in SPLITS
    }
    warnings = [f"{name}: {warning}" for name, part in parts.items() for warning in part.warnings]
    calibration = tuple(_of_task(sample, name) for name, part in parts.items() for sample in part.calibration)
    return Dataset(splits, tuple(dict.fromkeys(warnings)), calibration=calibration)


def of_task(dataset: Dataset, task: str) -> Dataset:
    """Return the samples of a task, also those of its calibration; the dataset itself for "" of a single task."""
    splits = {split: tuple(task_samples(samples, task)) for split, samples in dataset.splits.items()}
    return Dataset(splits, calibration=tuple(task_samples(dataset.calibration, task))) if task else dataset


def task_samples(samples: Sequence[Sample], task: str) -> list[Sample]:
    """Return the samples of a task, in order; all samples for the name "" of a single task."""
    return [sample for sample in samples if sample.task == task] if task else list(samples)


def _of_tasks(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Return the samples of some of the tasks; the splits stay."""
    splits = {
        split: tuple(sample for sample in samples if sample.task in names) for split, samples in dataset.splits.items()
    }
    calibration = tuple(sample for sample in dataset.calibration if sample.task in names)
    return replace(dataset, splits=splits, calibration=calibration)


def _read_task(settings: Settings) -> TableRows:
    try:
        return read_samples(settings.data, settings.task)
    except DataError as error:
        return TableRows([], list(error.problems), [])


def _with_common_groups(rows: Mapping[str, Sequence[Row]], settings: Settings) -> dict[str, list[Row]]:
    """Return the rows with one group for all rows of an image, whatever the task.

    Criteria have one dataset, so a group of the table is a group of all criteria, and `data.limit` draws by the labels
    of the first criterion.
    """
    if settings.criteria and settings.data.limit is not None:
        rows = _of_first_items(rows, settings)
    named = [_with_names(row, name, settings) for name, own in rows.items() for row in own]
    joined = iter(join_same_images(named)[0])
    return {
        name: [
            replace(row, sample=replace(row.sample, group=common.sample.group))
            for row, common in zip(own, islice(joined, len(own)), strict=True)
        ]
        for name, own in rows.items()
    }


def _of_first_items(rows: Mapping[str, Sequence[Row]], settings: Settings) -> dict[str, list[Row]]:
    """Return the rows of the items that `data.limit` draws for the first criterion."""
    first = limited(next(iter(rows.values())), settings.data.limit, settings.search.seed)
    items = {row.sample.id for row in first}
    return {name: [row for row in own if row.sample.id in items] for name, own in rows.items()}


def _with_names(row: Row, task: str, settings: Settings) -> Row:
    group = row.sample.group
    if settings.tasks and group is not None:
        group = f"{task}/{group}"
    return replace(row, sample=replace(_of_task(row.sample, task), group=group))


def _of_task(sample: Sample, task: str) -> Sample:
    return replace(sample, id=f"{task}/{sample.id}", task=task)
