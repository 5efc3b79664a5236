"""Audit of a judge.yaml or a run: samples, models and store; audit.json."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path

from blpo.audit.all_probes import NAMES, require_known
from blpo.audit.asked_judge import AskedJudge
from blpo.audit.gates import AuditGate, missed, parse_audit_gates
from blpo.audit.paraphrase import paraphrase
from blpo.audit.probe import AuditContext
from blpo.audit.results import FORMAT, AuditResult
from blpo.audit.run_audit import Audit
from blpo.audit.run_audits import audit_place
from blpo.data.run_dataset import dataset_of, task_samples
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import inputs_of
from blpo.deployment.judge import Judge, in_task, load_judge
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.table_input import InputColumns
from blpo.inference.open_models import open_models
from blpo.runs.run_record import RunRecord
from blpo.storage.whole_files import write_whole
from state.errors import ConfigError
from state.sample import Sample, SplitName
from state.settings import LimitSettings, TaskSettings

MOST_SAMPLES = 50
"""Default number of samples."""


async def audit(
    judge: Path,
    inputs: Sequence[str] = (),
    *,
    probes: Sequence[str] = (),
    samples: int = MOST_SAMPLES,
    calls: int | None = None,
    gates: Sequence[str] = (),
    out: Path | None = None,
    split: SplitName | None = None,
    task: str | None = None,
    advance: Callable[[str], None] = lambda name: None,
) -> tuple[AuditResult, list[AuditGate]]:
    """Audit a judge and write audit.json, for one of several tasks audit.TASK.json; return its content, missed gates.

    `judge` is a judge.yaml or a run directory. Without `inputs`, the samples are those of the run's test split.
    `probes` are names, by default all. `task` names one of several tasks or criteria of the judge. Answers go to a
    store beside audit.json, and cost nothing in a later audit. Raises `BlpoError` before the first call for anything
    that can't be used.
    """
    names = require_known(probes or NAMES)
    rules = [rule for text in gates for rule in parse_audit_gates(text, names)]
    loaded = load_judge(judge, task)
    name, *others = loaded.require_tasks()
    if others:
        raise ConfigError(f"this judge has several criteria ({', '.join(loaded.tasks)}); name one: --task NAME")
    if not inputs and loaded.run is None:
        raise ConfigError(f"{judge} is no run directory, so give the images to audit with")
    scale = loaded.file.of_task(name).task
    items = await asyncio.to_thread(_samples, loaded, name, scale, inputs, split, samples)
    folder = judge_folder(judge)
    if out is not None and not out.absolute().parent.is_dir():
        raise ConfigError(f"{out}: its folder does not exist; make it, or give another file with --out")
    place = out or audit_place(folder, name)
    store = folder / "audit.sqlite" if out is None else out.with_suffix(".sqlite")
    limits = LimitSettings(calls=calls, max_failure_rate=1.0)
    settings = loaded.file.settings.model_copy(update={"limits": limits})
    async with AsyncExitStack() as stack:
        examples = loaded.file.labelled_examples
        models = await stack.enter_async_context(open_models(settings, store, examples))
        words = None
        if loaded.run is not None and "paraphrase" in names:
            words = await paraphrase(RunRecord.read(loaded.run), loaded.file)
        judge_at_work = AskedJudge(loaded.file, models)
        work = Audit(judge_at_work.ask, AuditContext(scale, words), models.width("judge"), advance)
        results, status = await work.run(items, names)
        result = AuditResult(
            format=FORMAT,
            judge=JudgeIdentity.of(loaded.file, sorted(judge_at_work.versions)).fields,
            samples=len(items),
            status=status,
            calls=await judge_at_work.calls(),
            probes=results,
        )
    await asyncio.to_thread(write_whole, place, json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    return result, missed(rules, result)


def _samples(
    judge: Judge, task: str, scale: TaskSettings, inputs: Sequence[str], split: SplitName | None, most: int
) -> list[Sample]:
    """Return the samples to ask about: of the inputs, else of the run's test split."""
    if not inputs and judge.run is not None:
        return task_samples(dataset_of(RunRecord.read(judge.run).settings).splits[split or "test"], task)[:most]
    sources = inputs_of(list(inputs), InputColumns(), InputLabels(scale, required=False), split)
    first_samples = islice((sample for source in sources for sample in source.samples()), most)
    return [in_task(sample, task) for sample in first_samples]


def judge_folder(judge: Path) -> Path:
    """Return the folder of a judge: the run directory, or that of the judge.yaml."""
    return judge if judge.is_dir() else judge.parent
