"""Budgets too small for a cell: known before the first call."""

from collections.abc import Sequence

from evals.cells import Cell
from evals.split_sizes import split_sizes


def budget_problems(cells: Sequence[Cell]) -> dict[str, str]:
    """Return the reason by name for each cell whose budget in calls can't pay for judging.

    A search judges train and validation under p_0 before the first proposal, and keeps back the test split under p_0
    and the selected prompt. Cells with a broken dataset are left out: they fail with the reason of the dataset.
    """
    problems = {}
    for cell in cells:
        limit, sizes = cell.settings.limits.calls, split_sizes(cell.settings)
        if limit is None or sizes is None:
            continue
        least = sizes.labelled_requests + 2 * sizes.test_requests
        task = cell.settings.task
        prompts = f"two prompts{' in both orders' if task.has_both_orders or task.order == 'pairs' else ''}"
        if limit < least:
            problems[cell.name] = (
                f"{limit:,} calls can't pay for judging: {sizes.labelled} train and validation samples and the"
                f" {sizes.test} test samples under {prompts} need {least:,}; raise the budget, or set data.limit"
            )
    return problems
