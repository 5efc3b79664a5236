"""Cost of an experiment before the first call: a cell of BLPO by dataset and judge.

Every method counts as BLPO: with a budget no method may use more, and without a budget no better number is known. A
method that judges the parts of lists has no search, and its calls are known, so it counts by itself. Cells share
answers, so an experiment really spends less than its cells are charged.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from blpo.costs.call_sizes import Load
from blpo.costs.estimate import estimate, total
from blpo.costs.workload import workload_of
from evals.cells import Cell, cells_of
from evals.experiment_settings import EvalSettings, GridSettings, SweepSettings
from evals.paired_tests import YARDSTICK
from state.settings import LimitSettings


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls, tokens (input + output) and US dollars; the dollars are None if a price is not known."""

    calls: int
    tokens: int
    usd: float | None

    def times(self, factor: float) -> "Cost":
        """Return the cost multiplied by a factor."""
        usd = None if self.usd is None else self.usd * factor
        return Cost(round(self.calls * factor), round(self.tokens * factor), usd)

    def __add__(self, other: "Cost") -> "Cost":
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Cost(self.calls + other.calls, self.tokens + other.tokens, usd)


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """Estimate for the cells of one dataset and judge."""

    dataset: str
    judge: str
    cells: int
    """Number of cells; the cells of a run a task, which share one budget, count as one."""
    low: Cost
    """Cost of a cell that stops early."""
    high: Cost
    """Cost of a cell that reaches its last round or the end of its budget."""
    method: str = ""
    """Name of a method that judges lists by their parts, and counts by itself; empty for all other methods."""


def estimate_evals(evals: EvalSettings, out: Path) -> list[GroupEstimate]:
    """Estimate each group of cells from labels and image sizes, without sending requests."""
    cells = cells_of(evals, out)
    budgets = {(*_group(cell), cell.method, cell.seed, cell.varied): _group(cell) for cell in cells}
    counts = Counter(budgets.values())
    own = tuple(dict.fromkeys(cell.method for cell in cells if _group(cell)[2]))
    budget = evals.budget.model_copy(update={"calls": max(evals.grid.calls, default=evals.budget.calls)})
    one_of_each = evals.model_copy(
        update={
            "methods": (YARDSTICK, *own),
            "seeds": evals.seeds[:1],
            "sweeps": SweepSettings(),
            "grid": GridSettings(),
            "budget": budget,
        }
    )
    groups = []
    for cell in cells_of(one_of_each, out):
        roles = estimate(cell.settings, workload_of(cell.settings))
        low, high = (_within(_cost(*total(roles, case)), budget) for case in ("low", "high"))
        dataset, judge, method = group = _group(cell)
        groups.append(GroupEstimate(dataset, judge, counts[group], low, high, method))
    return [group for group in groups if group.cells]


def _group(cell: Cell) -> tuple[str, str, str]:
    """Return dataset, judge and, for a method that counts by itself, method."""
    return cell.dataset, cell.judge, "" if cell.settings.task.parts is None else cell.method


def _cost(load: Load, usd: float | None) -> Cost:
    return Cost(load.calls, load.input_tokens + load.output_tokens, usd)


def _within(cost: Cost, budget: LimitSettings) -> Cost:
    """Return the cost, cut to the share that the budget allows."""
    pairs = ((cost.calls, budget.calls), (cost.tokens, budget.tokens), (cost.usd, budget.usd))
    shares = [limit / amount for amount, limit in pairs if amount and limit is not None]
    return cost.times(min([1.0, *shares]))
