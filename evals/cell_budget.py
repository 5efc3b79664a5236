"""Budgets too small for a cell: known before the first call."""

from collections.abc import Sequence

from blpo.data.dataset import dataset_of
from evals.cells import Cell
from state.errors import DataError


def budget_problems(cells: Sequence[Cell]) -> dict[str, str]:
    """Return the reason by name for each cell whose budget in calls can't pay for judging.

    A search judges train and validation under p_0 before the first proposal, and keeps back the test split under p_0
    and the selected prompt. Cells with a broken dataset are left out: they fail with the reason of the dataset.
    """
    sizes: dict[str, tuple[int, int] | None] = {}
    problems = {}
    for cell in cells:
        limit = cell.settings.limits.calls
        if limit is None:
            continue
        key = f"{cell.settings.task} {cell.settings.data} {cell.seed}"
        if key not in sizes:
            sizes[key] = _sizes(cell)
        size = sizes[key]
        if size is not None and limit < size[0] + 2 * size[1]:
            problems[cell.name] = (
                f"{limit:,} calls can't pay for judging: {size[0]} train and validation samples and the {size[1]} test"
                f" samples under two prompts need {size[0] + 2 * size[1]:,}; raise the budget, or set data.limit"
            )
    return problems


def _sizes(cell: Cell) -> tuple[int, int] | None:
    """Return the number of train and validation samples, and of test samples; None for a broken dataset."""
    try:
        splits = dataset_of(cell.settings).splits
    except DataError:
        return None
    return len(splits["train"]) + len(splits["validation"]), len(splits["test"])
