"""What an experiment will cost before anything is paid: a cell of BLPO by dataset and judge, and all cells together.

Other methods are counted as BLPO: under a budget none may use more, and without one nothing else is known of them.
Cells share answers, so that less is really spent than all of them are charged.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from blpo.costs.call_sizes import Load
from blpo.costs.estimate import estimate, total
from blpo.costs.workload import workload_of
from evals.cells import cells_of
from evals.settings import EvalSettings, SweepSettings
from evals.table import YARDSTICK
from state.settings import LimitSettings


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls, tokens (input + output) and US dollars, None where a price is not known."""

    calls: int
    tokens: int
    usd: float | None

    def times(self, factor: float) -> "Cost":
        """So much of it."""
        usd = None if self.usd is None else self.usd * factor
        return Cost(round(self.calls * factor), round(self.tokens * factor), usd)

    def __add__(self, other: "Cost") -> "Cost":
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Cost(self.calls + other.calls, self.tokens + other.tokens, usd)


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """The cells of one dataset and judge."""

    dataset: str
    judge: str
    cells: int
    low: Cost
    """A cell that stops early."""
    high: Cost
    """A cell that goes on to its last round, or to the end of its budget."""


def estimate_evals(evals: EvalSettings, out: Path) -> list[GroupEstimate]:
    """Estimate each group of cells; labels and image sizes are looked at, nothing is sent."""
    cells = cells_of(evals, out)
    counts = Counter((cell.dataset, cell.judge) for cell in cells)
    one_of_each = evals.model_copy(
        update={"methods": (YARDSTICK,), "seeds": evals.seeds[:1], "sweeps": SweepSettings()}
    )
    found = []
    for cell in cells_of(one_of_each, out):
        roles = estimate(cell.settings, workload_of(cell.settings))
        low, high = (_within(_cost(*total(roles, case)), evals.budget) for case in ("low", "high"))
        found.append(GroupEstimate(cell.dataset, cell.judge, counts[cell.dataset, cell.judge], low, high))
    return found


def _cost(load: Load, usd: float | None) -> Cost:
    return Cost(load.calls, load.input_tokens + load.output_tokens, usd)


def _within(cost: Cost, budget: LimitSettings) -> Cost:
    """As much of it as the budget allows."""
    pairs = ((cost.calls, budget.calls), (cost.tokens, budget.tokens), (cost.usd, budget.usd))
    shares = [limit / used for used, limit in pairs if used and limit is not None]
    return cost.times(min([1.0, *shares]))
