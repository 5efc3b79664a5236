"""Starting a run, and going on with one: what the facade, the command line and the experiments share."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

from blpo.config.settings_file import dump_settings, load_settings
from blpo.data.dataset import dataset_of
from blpo.data.dataset_check import check_dataset
from blpo.inference.open_run import SharedModels
from blpo.runs.driver import BLPO, Driver, OnEvent, Search
from blpo.runs.lineage import lineage_of
from blpo.runs.moved_runs import settle
from blpo.runs.preflight import require_usable
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_record import RunRecord
from blpo.runs.team_runs import announce, forget_checkpoints, require_known
from state.approval import Answer
from state.errors import AnswerError, DataError
from state.settings import Settings

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
    `control.request_drain()` stops the run at the next superstep, with status `interrupted`; so does a question of
    `approval`, which the result then holds (`question`); `resume` takes the answer. Raises `BlpoError`; a
    `TooManyFailures` leaves a run that `resume` goes on with. `search` is another one than BLPO, over the same nodes
    for judging and testing. `shared`: models that the run shares with other runs.
    """
    settings = load_settings(config, overrides)
    require_usable(settings)
    check_data(settings)
    path = Path(settings.run.dir or _default_directory(settings)).absolute()
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(path)})})
    dataset, thread = dataset_of(settings), str(uuid.uuid4())
    await announce(settings, thread, path)
    run = RunDirectory.create(
        settings, path, dataset.fingerprint, thread, method=search.name, lineage=lineage_of(settings, dataset)
    )
    with closing(run):
        await Driver(run, search, settings, on_event, control).to_the_end(dataset, shared)
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
    """Go on with a run that was stopped, killed, failed, moved or copied; a finished one just returns its result.

    `overrides` may change approval, limits and how models are reached, nothing that determines the result. A run that
    spent its budget goes on where `limits` are raised: what was paid for is read from the response store. `search` is
    the one that the run began with, else `RunError` is raised. `answer` answers the question that the run waits for: a
    `state.approval.Answer`, a mapping like one, or "approve"; raises `AnswerError` where it asks none, or the answer
    can't be used. `shared`: models that the run shares with other runs.
    """
    run = RunDirectory.open(Path(directory).absolute())
    with closing(run):
        run.require_method(search.name)
        settings = run.settings(overrides)
        result = run.result()
        raised = result is not None and result["status"] == "budget" and settings.limits != run.settings().limits
        if result is not None and not raised and result["status"] in ("complete", "budget"):
            if answer is not None:
                raise AnswerError(f"{run.path} asks no question: it is finished")
            return RunRecord(run.path, run.info)
        require_usable(settings)
        dataset = dataset_of(settings)
        run.check_dataset(dataset.fingerprint)
        await require_known(run)
        settle(run, settings)
        if raised:
            await forget_checkpoints(run)
            (run.path / "result.json").unlink()
        settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(run.path)})})
        run.write("config.yaml", dump_settings(settings))
        await Driver(run, search, settings, on_event, control, answer).to_the_end(dataset, shared)
        return RunRecord(run.path, run.info)


def check_data(settings: Settings) -> None:
    """Refuse a dataset with unreadable rows or images before anything is paid for; raises `DataError`."""
    problems = check_dataset(settings)
    if problems:
        more = f" (and {len(problems) - 1} more; `blpo check` lists them)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more, tuple(problems))


def _default_directory(settings: Settings) -> Path:
    return Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{settings.run_name}"
