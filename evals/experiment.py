"""Run an experiment from the settings to the table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

from evals.experiment_files import write_outputs
from evals.experiment_settings import EvalSettings
from evals.harness import Harness, OnExperimentEvent
from evals.table import table_rows
from evals.transfer import run_transfer


def experiment_folder(config: Path | None, evals: EvalSettings, *, offline: bool) -> Path:
    """Return the default folder: the same folder for the same command, so that the command goes on."""
    parts = [config.stem if config else None, evals.preset, "offline" if offline else None]
    return Path("runs") / f"evals-{'-'.join(part for part in parts if part) or 'offline'}"


def unwatched(event: Mapping[str, Any]) -> None:
    """Ignore an event: nobody follows the progress."""


async def run_evals(
    evals: EvalSettings, out: Path, *, on_event: OnExperimentEvent = unwatched, control: RunControl | None = None
) -> dict[str, Any]:
    """Run all cells that are not done, write table.md, table.csv and table.json, and return the content of table.json.

    `control.request_drain()` stops the experiment at the next step of each cell; the table then names the open cells,
    and the same call continues. A failed cell is a row of the table. Raises `BlpoError` if the experiment as a whole
    can't run.
    """
    control = control or RunControl()
    harness = Harness(evals, out, on_event, control)
    results = await harness.run()
    transfer = (
        await run_transfer(evals, harness.out, harness.cells, results, control) if evals.preset == "mt-rl" else []
    )
    rows = table_rows(harness.cells, results, evals.mt_rl.trained)
    return await write_outputs(harness.out, evals, rows, results, transfer)
