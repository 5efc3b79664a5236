"""Fork: a new run that goes on from a past round of a parent run, with other prompts or other settings.

A fork starts from the round's record and a copy of the parent's answers, and pays for new requests only. The parent's
spending does not count. The parent's checkpoints are not needed. Data, task, judge and initial prompts must stay the
same, because past rounds were measured by these settings, and past and new rounds are compared.
"""

import json
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from langgraph.runtime import RunControl

from blpo.config.config_hash import measuring_settings
from blpo.config.settings_file import load_settings
from blpo.data.dataset import Dataset
from blpo.data.run_dataset import dataset_of
from blpo.inference.initial_prompts import prompt_problem
from blpo.inference.run_store import store_path
from blpo.runs.driver import BLPO, Driver, OnEvent
from blpo.runs.fork_start import ForkStart, state_before
from blpo.runs.preflight import require_usable
from blpo.runs.rounds import Round
from blpo.runs.run_directory import RunDirectory
from blpo.runs.run_record import RunRecord
from blpo.runs.team_runs import announce
from state.errors import ConfigError, RunError
from state.run_lineage import Fork, Lineage
from state.settings import PromptSettings, Settings


async def fork_run(
    directory: str | Path,
    round: int,
    *,
    judge_prompt: str | None = None,
    i2t_prompt: str | None = None,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
) -> RunRecord:
    """Start a new run from round `round` of the run in `directory`.

    The prompts, where given, take the place of p and q. `overrides` are `key=value` for the settings of the new run;
    `run.dir` is its directory (default: beside the parent). Raises `BlpoError`.
    """
    run, settings, dataset = await _new_run(Path(directory).absolute(), round, judge_prompt, i2t_prompt, overrides)
    with closing(run):
        await Driver(run, BLPO, settings, on_event, control).to_the_end(dataset)
        return RunRecord(run.path, run.info)


async def _new_run(
    parent: Path, round: int, judge: str | None, i2t: str | None, overrides: Sequence[str]
) -> tuple[RunDirectory, Settings, Dataset]:
    """Return the locked directory, settings and dataset of the new run; writes nothing for a fork that is refused."""
    record = RunRecord.read(parent)
    info = record.info
    if info.method != BLPO.name:
        raise RunError(f"{parent} is a run of {info.method}; only runs of {BLPO.name} can be forked")
    settings = _settings(parent, overrides)
    _require_prompts({"judge": judge, "i2t": i2t}, settings)
    rounds = _rounds(record, round)
    if round == 0:
        settings = settings.model_copy(update={"prompts": _prompts(rounds[0], judge, i2t)})
    require_usable(settings)
    dataset = dataset_of(settings)
    if dataset.fingerprint != info.dataset:
        raise RunError(f"{parent}: {_other_dataset(record, settings)}")
    path = Path(settings.run.dir or parent.parent / f"{datetime.now():%Y%m%d-%H%M%S-%f}-fork").absolute()
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"dir": str(path)})})
    thread = str(uuid.uuid4())
    await announce(settings, thread, path)
    state, texts = state_before(rounds, round, judge, i2t)
    answers = None if settings.run.in_postgres else str(store_path(parent))
    start = json.dumps(ForkStart(answers=answers, texts=texts, state=state if round else None))
    fork = Fork(run=str(parent), thread_id=info.thread_id, round=round, changed=_changed(judge, i2t, overrides))
    lineage: Lineage = {**(info.lineage or {}), "fork": fork}
    run = RunDirectory.create(settings, path, info.dataset, thread, lineage=lineage, start=start)
    return run, settings, dataset


def _changed(judge: str | None, i2t: str | None, overrides: Sequence[str]) -> list[str]:
    """Return the differences from the parent in the words of the lineage."""
    prompts = [name for name, text in (("judge prompt", judge), ("I2T prompt", i2t)) if text is not None]
    return [*prompts, *(override for override in overrides if not override.startswith("run."))]


def _rounds(parent: RunRecord, round: int) -> tuple[Round, ...]:
    """Return the rounds of a run; raises `RunError` for a run without round `round`."""
    rounds = parent.rounds
    if not 0 <= round < len(rounds):
        raise RunError(f"{parent.directory} has no round {round}; it has {_span(len(rounds))}")
    return rounds


def _settings(parent: Path, overrides: Sequence[str]) -> Settings:
    """Return the settings of the new run; raises `ConfigError` for a change of settings that past rounds depend on."""
    file = parent / "config.yaml"
    before, after = load_settings(file), load_settings(file, ["run.dir=", *overrides])
    old, new = measuring_settings(before), measuring_settings(after)
    for name in old:
        if old[name] != new[name]:
            raise ConfigError(
                f"{name}: past rounds were measured by it, so a fork can't change it; start a new run from a prompt of"
                f" {parent / 'rounds'} (prompts.judge_file)"
            )
    if before.run.in_postgres != after.run.in_postgres:
        raise ConfigError("run.checkpoints: a fork keeps its answers where its run does; leave it out")
    return after


def _other_dataset(parent: RunRecord, settings: Settings) -> str:
    """Return the reason why rounds of the parent can't be continued on another dataset, and what to do."""
    old, new = parent.settings.search.seed, settings.search.seed
    problem = "the dataset or its splits are not those of the run"
    if new == old:
        return f"{problem}, so its rounds can't be gone on from; restore the dataset, or start a new run"
    return (
        f"{problem}, because search.seed draws the splits; keep search.seed={old}, or start a new run: blpo optimize"
        f" {parent.directory / 'config.yaml'} --set run.dir= --set search.seed={new} (a seed with splits from a column,"
        " data.split.column, can be forked)"
    )


def _require_prompts(prompts: dict[str, str | None], settings: Settings) -> None:
    for name, text in prompts.items():
        problem = None if text is None else prompt_problem(text, settings.search.max_prompt_tokens)
        if problem:
            raise ConfigError(f"--{name}-prompt: the prompt can't be used: {problem}")


def _prompts(before: Round, judge: str | None, i2t: str | None) -> PromptSettings:
    """Return the initial prompts of a fork at round 0: the fork starts like a new run."""
    return PromptSettings(judge=(judge or before.judge_prompt).strip(), i2t=(i2t or before.i2t_prompt).strip())


def _span(rounds: int) -> str:
    return "none yet" if rounds == 0 else "round 0" if rounds == 1 else f"rounds 0 to {rounds - 1}"
