"""Check of a dataset: all problems, before any call is paid for."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from blpo.data.dataset import Dataset, divide, read_samples, searched
from blpo.data.images import check_images
from blpo.data.rows import Row, TableRows
from blpo.data.run_dataset import divide_tasks, lines_by_task, read_tasks
from state.errors import DataError
from state.sample import Sample
from state.settings import Settings


def check_dataset(settings: Settings) -> list[str]:
    """Return a line for every problem with labels, images and splits, with file and row. Empty for a good dataset.

    Reads and decodes every image once. Problems of one of several tasks begin with the task's name.
    """
    if settings.task_names:
        return _check_tasks(read_tasks(settings), settings)
    try:
        rows = read_samples(settings.data, settings.task)
    except DataError as error:
        return list(error.problems)
    problems = [*rows.problems, *check_images(row.sample for row in rows.usable)]
    return problems or _split_problems(partial(_divided, rows.usable, settings))


def _divided(rows: list[Row], settings: Settings) -> Dataset:
    dataset = divide(rows, settings.data, settings.task, settings.search.seed)
    return searched(dataset, settings.search)


def _check_tasks(rows: Mapping[str, TableRows], settings: Settings) -> list[str]:
    samples = [row.sample for each in rows.values() for row in each.usable]
    problems = lines_by_task({name: each.problems for name, each in rows.items()}, settings)
    problems += check_images(_by_item(samples) if settings.criteria else samples)
    usable = {name: each.usable for name, each in rows.items()}
    return problems or _split_problems(partial(divide_tasks, usable, settings))


def _by_item(samples: Iterable[Sample]) -> Iterable[Sample]:
    """Return one sample for each image of several criteria."""
    return {sample.id: sample for sample in samples}.values()


def _split_problems(divided: Callable[[], Dataset]) -> list[str]:
    try:
        divided()
    except DataError as error:
        return list(error.problems)
    return []
