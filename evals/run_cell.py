"""Run of a cell: an ordinary run of a method, over models shared by all cells."""

from pathlib import Path

from langgraph.runtime import RunControl

from blpo.inference.open_run import SharedModels
from blpo.runs.driver import OnEvent, Search
from blpo.runs.start_and_resume import resume_run, start_run
from blpo.tracking.tracked_run import tracked
from evals.methods import METHODS
from state.result import Result
from state.settings import Settings


async def run_cell(
    method: str, settings: Settings, shared: SharedModels, on_event: OnEvent, control: RunControl
) -> Result:
    """Start or resume the run of `settings.run.dir`, and return its result; raises `BlpoError`.

    The run has its own response store and budget, and is charged for every distinct request. Below the store of the
    run, the shared models answer requests of earlier cells again.
    """
    path = Path(str(settings.run.dir))
    search = Search(method, METHODS[method].builder)
    tracking = f"run.tracking={settings.run.tracking or ''}"
    async with tracked(on_event, group=path.parents[1].name) as events:
        if (path / "run.json").exists():
            run = await resume_run(
                path, overrides=[tracking], on_event=events, control=control, search=search, shared=shared
            )
        else:
            run = await start_run(settings, on_event=events, control=control, search=search, shared=shared)
    return run.result
