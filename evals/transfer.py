"""Transfer of the preset mt-rl: the selected prompt of every run judges pairs that it was not learned on.

A row of the table of transfer is a judging of the pairs of a set, in both orders, under the prompt that a run of all
tasks selected; for no optimization under the default prompt for pairs. These judgings are runs without a search, in
`OUT/transfer`. Nearly all pairs are test samples; train and validation of a run need a few. Their calls are on top of
the budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from langgraph.runtime import RunControl

from blpo.config.settings_file import load_settings
from blpo.runs.run_record import RunRecord
from evals.cell_results import CellResult, read_cell
from evals.cells import Cell
from evals.experiment_settings import EvalSettings
from evals.methods import METHODS
from evals.mt_rl import transfer_configs
from evals.run_cell import run_cell
from evals.shared_models import open_shared
from evals.workers import failure
from state.settings import PromptSettings, SearchSettings, Settings, SplitShares

_SPLIT = SplitShares(train=0.02, validation=0.02, test=0.96, seed=0)
_NO_SEARCH = "none"


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A method on a set of pairs, over the seeds with a result."""

    method: str
    title: str
    judge: str
    dataset: str
    seeds: int
    mean: float | None
    """Accuracy over the answers in both orders, with failures counted as wrong."""
    sd: float | None
    """Standard deviation over seeds (n - 1); None for fewer than two seeds."""
    pairs: int
    """Pairs of all seeds together."""
    reasons: tuple[str, ...] = ()
    """Reasons for missing results."""


async def run_transfer(
    evals: EvalSettings, out: Path, cells: Sequence[Cell], results: Sequence[CellResult], control: RunControl
) -> list[TransferRow]:
    """Judge the pairs under the prompt of every finished run, and return the rows; no row without a set of pairs.

    A judging that was interrupted goes on. A failed judging is a reason in its row.
    """
    done = [cell for cell, result in zip(cells, results, strict=True) if result.is_done and not cell.task]
    planned = [
        _planned(cell, name, config, out)
        for name, config in transfer_configs(Path(evals.mt_rl.folder), evals.mt_rl.transfer).items()
        for cell in done
    ]
    failures: dict[str, str] = {}
    async with open_shared(out, [cell.settings.models for cell in planned]) as shared:
        for cell in planned:
            if control.drain_requested or read_cell(cell).is_done:
                continue
            try:
                await run_cell(_NO_SEARCH, cell.settings, shared[cell.settings.models], lambda event: None, control)
            except Exception as error:
                failures[cell.name] = failure(error)
    return _rows(planned, {cell.name: read_cell(cell, failures.get(cell.name)) for cell in planned})


def _planned(cell: Cell, name: str, config: Path, out: Path) -> Cell:
    """Return the judging of a set of pairs under the prompt of a run."""
    own = load_settings(config)
    path = out / "transfer" / f"mjbench-{name}_{cell.path.name}"
    settings = Settings(
        task=own.task,
        data=own.data.model_copy(update={"split": _SPLIT}),
        models=cell.settings.models,
        prompts=own.prompts if cell.method == _NO_SEARCH else PromptSettings(judge=_selected(cell)),
        search=SearchSettings(outer_rounds=0),
        run=own.run.model_copy(update={"dir": str(path), "checkpoints": str(path / "checkpoints.sqlite")}),
    )
    return Cell(cell.method, name, cell.judge, cell.seed, "", settings)


def _selected(cell: Cell) -> str:
    result = RunRecord.read(cell.path).result
    return next(each["judge_prompt"] for each in result["rounds"] if each["round"] == result["best_round"])


def _rows(cells: Sequence[Cell], results: Mapping[str, CellResult]) -> list[TransferRow]:
    groups: dict[tuple[str, str, str], list[CellResult]] = {}
    for cell in cells:
        groups.setdefault((cell.judge, cell.method, cell.dataset), []).append(results[cell.name])
    return [_row(*place, group) for place, group in groups.items()]


def _row(judge: str, method: str, dataset: str, group: Sequence[CellResult]) -> TransferRow:
    values = [result.accuracy for result in group if result.is_done and result.accuracy is not None]
    return TransferRow(
        method,
        METHODS[method].title,
        judge,
        dataset,
        len(values),
        fmean(values) if values else None,
        stdev(values) if len(values) > 1 else None,
        sum(result.samples for result in group if result.is_done),
        tuple(dict.fromkeys(result.reason for result in group if result.reason)),
    )
