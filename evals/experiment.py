"""An experiment from its settings to its table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

from evals.harness import Harness, OnExperimentEvent
from evals.outputs import write_outputs
from evals.settings import EvalSettings
from evals.table import table


def unwatched(event: Mapping[str, Any]) -> None:
    """Where nobody follows the progress."""


async def run_evals(
    evals: EvalSettings, out: Path, *, on_event: OnExperimentEvent = unwatched, control: RunControl | None = None
) -> dict[str, Any]:
    """Run all cells that are not done yet, write table.md, table.csv and table.json, and return the last's content.

    `control.request_drain()` stops it at the next step of each cell; the table then says which are open, and the same
    call goes on. Raises `BlpoError` where the experiment as a whole can't run; a cell that fails is a row.
    """
    harness = Harness(evals, out, on_event, control or RunControl())
    results = await harness.run()
    return await write_outputs(harness.out, evals, table(harness.cells, results), results)
