"""Check of a dataset: all problems, before any call is paid for."""

from blpo.data.dataset import divide, read_samples, searched
from blpo.data.images import check_images
from state.errors import DataError
from state.settings import Settings


def check_dataset(settings: Settings) -> list[str]:
    """Return a line for every problem with labels, images and splits, with file and row. Empty for a good dataset.

    Reads and decodes every image once.
    """
    try:
        rows = read_samples(settings.data, settings.task)
    except DataError as error:
        return list(error.problems)
    problems = [*rows.problems, *check_images(row.sample for row in rows.usable)]
    if not problems:
        try:
            dataset = divide(rows.usable, settings.data, settings.task, settings.search.seed)
            searched(dataset, settings.search)
        except DataError as error:
            problems += error.problems
    return problems
