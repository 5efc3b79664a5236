"""Run the cells of an experiment, several at once; each cell is a run that can be resumed.

After any end (Ctrl-C, a kill, a full disk) the same call continues: finished cells stay as they are, and an interrupted
cell continues as by `resume`. A failed cell is a row with the reason.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from langgraph.runtime import RunControl

from blpo.config.yaml_text import write_yaml
from blpo.data.run_dataset import dataset_of
from blpo.runs.run_info import read_info
from blpo.storage.locks import lock_folder
from blpo.storage.whole_files import write_whole
from evals.cell_budget import budget_problems
from evals.cell_results import CellResult, read_cell
from evals.cells import CELLS, Cell, cells_of
from evals.experiment_settings import EvalSettings
from evals.shared_models import make_shared_store, open_shared
from evals.workers import CellFailed, InProcess, Runner, WorkerStart, open_workers
from state.errors import DataError, RunError

OnExperimentEvent = Callable[[Mapping[str, Any]], None]
"""Handler of the events of an experiment: `experiment`, `cell_refused` (ended without a call), `cell_began`, `cell` (an
event of its run), `cell_ended`."""
PATIENCE = 10.0
"""Seconds to wait for worker processes of an experiment that was killed a moment ago."""


class Harness:
    """Cells of an experiment."""

    def __init__(self, evals: EvalSettings, out: Path, on_event: OnExperimentEvent, control: RunControl) -> None:
        """Plan the cells; raises `ConfigError` like `cells_of`."""
        self.evals = evals
        self.out = out.absolute()
        self.cells = cells_of(evals, self.out)
        self._on_event = on_event
        self._control = control
        self._reasons: dict[str, str] = {}

    async def run(self) -> list[CellResult]:
        """Run the cells that are not done, and return the result of every cell; raises `BlpoError`."""
        with _locked(self.out) as lock:
            write_whole(self.out / "evals.yaml", write_yaml(self.evals.model_dump(mode="json")))
            open_cells = [cell for cell in self.cells if not read_cell(cell).is_done]
            done = len(self.cells) - len(open_cells)
            self._tell(event="experiment", out=str(self.out), cells=len(self.cells), done=done)
            open_cells = await asyncio.to_thread(self._payable, open_cells)
            if open_cells:
                await asyncio.to_thread(self._require_same_data, {cell.dataset for cell in open_cells})
                await self._run(open_cells, lock.fileno())
            return [read_cell(cell, self._reasons.get(cell.name)) for cell in self.cells]

    def _payable(self, cells: list[Cell]) -> list[Cell]:
        """Return the cells whose budget can pay for judging; the other cells end at once with the reason."""
        problems = budget_problems(cells)
        self._reasons |= problems
        for cell in cells:
            if cell.name in problems:
                self._tell(event="cell_refused", cell=cell.name, result=read_cell(cell, problems[cell.name]))
        return [cell for cell in cells if cell.name not in problems]

    def _require_same_data(self, datasets: Set[str]) -> None:
        """Raise `RunError` for a dataset that changed after the first cell: the rows of a table share samples."""
        first = {cell.dataset: cell for cell in reversed(self.cells) if (cell.path / "run.json").exists()}
        for cell in (cell for name, cell in first.items() if name in datasets):
            with suppress(DataError):  # the cells fail with the reason
                if dataset_of(cell.settings).fingerprint != read_info(cell.path).dataset:
                    raise RunError(
                        f"{self.out}: the dataset {cell.dataset} is not the one that {cell.name} began with;"
                        " restore it, or give another --out"
                    )

    async def _run(self, cells: list[Cell], lock: int) -> None:
        """Run cells of embedded models in worker processes, and cells of servers here."""
        embedded = deque(cell for cell in cells if cell.is_embedded)
        served = deque(cell for cell in cells if not cell.is_embedded)
        parallel = self.evals.parallel
        runners: list[tuple[Runner, deque[Cell]]] = []
        await make_shared_store(self.out)
        async with AsyncExitStack() as stack:
            if embedded:
                start = WorkerStart(out=self.out, models=tuple({cell.settings.models: None for cell in embedded}))
                count = min(parallel, len(embedded))
                workers = await stack.enter_async_context(open_workers(start, lock, count, self._control))
                runners += [(worker.run, embedded) for worker in workers]
            if served:
                models = [cell.settings.models for cell in served]
                shared = await stack.enter_async_context(open_shared(self.out, models))
                runners += [(InProcess(shared, self._control).run, served)] * min(parallel, len(served))
            async with asyncio.TaskGroup() as group:
                for runner, queue in runners:
                    group.create_task(self._run_all(runner, queue))

    async def _run_all(self, runner: Runner, cells: deque[Cell]) -> None:
        while cells and not self._control.drain_requested:
            cell = cells.popleft()
            self._tell(event="cell_began", cell=cell.name)
            try:
                await runner(cell, lambda event: self._tell(event="cell", cell=cell.name, of=event))  # noqa: B023
            except CellFailed as failed:
                self._reasons[cell.name] = str(failed)
            result = read_cell(cell, self._reasons.get(cell.name))
            self._tell(event="cell_ended", cell=cell.name, result=result)

    def _tell(self, **event: Any) -> None:
        self._on_event(event)


@contextmanager
def _locked(out: Path) -> Iterator[TextIO]:
    """Make and lock the folder of the experiment; raises `RunError` for a folder in use or without write access."""
    try:
        (out / CELLS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"can't write {out}: {error.strerror}; give another --out") from None
    with lock_folder(out, PATIENCE) as lock:
        yield lock
