"""Start of a run, and resume of a run."""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

from blpo.config.settings_file import dump_settings, load_settings
from blpo.data.dataset_check import check_dataset
from blpo.data.dataset_warnings import dataset_warnings
from blpo.data.run_dataset import dataset_of
from blpo.inference.open_run import SharedModels
from blpo.runs.driver import BLPO, Driver, OnEvent, Search
from blpo.runs.lineage import lineage_of
from blpo.runs.moved_runs import repair_moved_run
from blpo.runs.preflight import require_usable, require_usable_for_a_new_run
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_record import RunRecord
from blpo.runs.team_runs import announce, forget_checkpoints, require_known_run
from state.approval import Answer
from state.errors import AnswerError, DataError
from state.settings import LimitSettings, Settings

_log = logging.getLogger("blpo")

_MOST_WARNINGS = 3
"""Warnings about the dataset at the start of a run."""

Config = str | Path | Mapping[str, Any] | Settings | None


async def start_run(
    config: Config = None,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
    search: Search = BLPO,
    shared: SharedModels | None = None,
) -> RunRecord:
    """Run a search to its end.

    `config` is a YAML file, a mapping, `Settings`, or None for the built-in sample; `overrides` are `key=value`.
    `control.request_drain()` stops the run at the next superstep, with status `interrupted`. A question of `approval`
    stops the run too: the result holds the `question`, and `resume_run` takes the answer. `search` is BLPO or a method
    of an experiment. `shared`: models that the run shares with other runs. Raises `BlpoError`; `resume_run` goes on
    after a `TooManyFailures`.
    """
    settings = load_settings(config, overrides)
    require_usable_for_a_new_run(settings)
    if shared is None or settings.dataset_key not in shared.images:
        check_data(settings)
    path = Path(settings.run.dir or _default_directory(settings)).absolute()
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(path)})})
    dataset, thread = dataset_of(settings), str(uuid.uuid4())
    await announce(settings, thread, path)
    run = RunDirectory.create(
        settings, path, dataset.fingerprint, thread, method=search.name, lineage=lineage_of(settings, dataset)
    )
    with closing(run):
        warnings = _folded(await asyncio.to_thread(dataset_warnings, settings, dataset))
        await Driver(run, search, settings, on_event, control).to_the_end(dataset, shared, warnings)
        return RunRecord(run.path, run.info)


async def resume_run(
    directory: str | Path,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
    search: Search = BLPO,
    shared: SharedModels | None = None,
    answer: Answer | Mapping[str, Any] | str | None = None,
) -> RunRecord:
    """Go on with a run after a stop, a kill, a failure, a move or a copy; does nothing for a finished run.

    `overrides` may change approval, limits and access to models, but no setting that determines the result. With
    raised `limits` a run goes on after its budget was spent: the response store answers all paid calls. `answer`
    answers the run's question: a `state.approval.Answer`, an equal mapping, or "approve". `shared`: models that the run
    shares with other runs. Raises `BlpoError`: `RunError` unless `search` is the search of the run, `AnswerError` for
    a run without a question and for a bad answer.
    """
    run = RunDirectory.open(Path(directory).absolute())
    with closing(run):
        run.require_method(search.name)
        settings = run.settings(overrides)
        result = run.result()
        status = result["status"] if result is not None else None
        is_raised = status == "budget" and are_raised(run.settings().limits, settings.limits)
        if status == "complete" or (status == "budget" and not is_raised):
            if answer is not None:
                raise AnswerError(f"{run.path} asks no question: it is finished")
            record = RunRecord(run.path, run.info)
            if record.is_whole:
                return record
            _log.warning("%s: files are missing or damaged; writing them again from the response store", run.path)
            settings = run.settings()  # a finished run keeps the limits that it ended by
        require_usable(settings)
        dataset = dataset_of(settings)
        run.check_dataset(dataset.fingerprint, settings)
        await require_known_run(run)
        repair_moved_run(run, settings)
        if is_raised:
            await forget_checkpoints(run)
            (run.path / "result.json").unlink()
        settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(run.path)})})
        run.write("config.yaml", dump_settings(settings))
        await Driver(run, search, settings, on_event, control, answer).to_the_end(dataset, shared)
        return RunRecord(run.path, run.info)


def are_raised(before: LimitSettings, after: LimitSettings) -> bool:
    """Return true if a limit of the budget is higher than before, or gone."""
    limits = [(getattr(before, name), getattr(after, name)) for name in ("calls", "tokens", "usd")]
    return any(old is not None and (new is None or new > old) for old, new in limits)


def check_data(settings: Settings) -> None:
    """Raise `DataError` for a dataset with unreadable rows or images, before the first paid call."""
    problems = check_dataset(settings)
    if problems:
        more = f" (and {len(problems) - 1} more; `blpo check` lists them)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more, tuple(problems))


def _folded(warnings: Sequence[str]) -> list[str]:
    """Return the first warnings about a dataset, and a count of the rest."""
    rest = len(warnings) - _MOST_WARNINGS
    more = [f"and {rest} more about the dataset; blpo check lists all"] if rest > 0 else []
    return [*warnings[:_MOST_WARNINGS], *more]


def _default_directory(settings: Settings) -> Path:
    return Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{settings.run_name}"
