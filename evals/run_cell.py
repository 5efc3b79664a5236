"""One cell: an ordinary run of its method, over the models that all cells share."""

from pathlib import Path

from langgraph.runtime import RunControl

from blpo.inference.open_run import SharedModels
from blpo.runs.drive import OnEvent, Search
from blpo.runs.lifecycle import optimize, resume
from evals.methods import METHODS
from state.result import Result
from state.settings import Settings


async def run_cell(
    method: str, settings: Settings, shared: SharedModels, on_event: OnEvent, control: RunControl
) -> Result:
    """Start the run of `settings.run.dir`, or go on with it, and return its result; raises `BlpoError`.

    The run has a response store and a budget of its own, so that it is charged for each request that it needs; below
    them the shared models answer what any cell has asked before.
    """
    path = Path(str(settings.run.dir))
    search = Search(method, METHODS[method].builder)
    if (path / "run.json").exists():
        return await resume(path, on_event=on_event, control=control, search=search, shared=shared)
    return await optimize(settings, on_event=on_event, control=control, search=search, shared=shared)
