"""Files of a run, composed from round records and the response store: at any time, and without a paid call."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from blpo.data.run_dataset import task_samples
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun
from blpo.inference.rounds import past_trials, selected_round
from blpo.inference.selected_prompt import selected_prompt
from blpo.inference.verdicts import recalled_verdicts, weighted
from blpo.models.recall import NEVER_ASKED
from blpo.prompts.diff import prompt_diff
from blpo.runs.judge_examples import write_examples
from blpo.runs.judge_file import JudgeFile, JudgeTest, figures
from blpo.runs.judge_tasks import JudgeTask, task_figures, task_test_figures
from blpo.runs.run_directory import RunDirectory
from blpo.runs.verdict_rows import verdict_line
from blpo.runs.verdict_sentence import verdict
from state.loops import RoundRecord
from state.metrics import Metrics
from state.result import Result
from state.sample import Sample, SplitName
from state.settings import Settings, TaskEntry
from state.verdict import Verdict


async def write_rounds(
    directory: RunDirectory, run: OpenRun, rounds: Sequence[RoundRecord], *, anew: bool = False
) -> None:
    """Write rounds/NN for every record, except for past rounds already on disk; with `anew` write all rounds."""
    for t, record in enumerate(rounds):
        folder = f"rounds/{t:02d}"
        if not anew and t < len(rounds) - 2 and (directory.path / folder / "trials.jsonl").exists():
            continue
        before = rounds[max(t - 1, 0)]
        for name in ("judge", "i2t"):
            old, new = [await run.store.text(_digest(r, name)) for r in (before, record)]
            await asyncio.to_thread(directory.write, f"{folder}/{name}.md", new + "\n")
            await asyncio.to_thread(directory.write, f"{folder}/{name}.diff", prompt_diff(old, new, f"{name}.md"))
        await asyncio.to_thread(directory.write, f"{folder}/record.json", json.dumps(record) + "\n")
        await asyncio.to_thread(directory.write_lines, f"{folder}/errors.jsonl", await _errors(run, record))
        trials = await past_trials(record, run.store)
        rows = [{"step": step, "score": trial["score"], **trial} for step, trial in enumerate(trials)]
        await asyncio.to_thread(directory.write_lines, f"{folder}/trials.jsonl", rows)


async def write_judge(
    directory: RunDirectory, run: OpenRun, rounds: Sequence[RoundRecord], result: Result | None = None
) -> None:
    """Write judge.yaml: the best prompt so far, with the settings to judge new images.

    `result` is the result of a finished run; the file then holds the outcome of the test.
    """
    models = (await weighted(run.recall)).settings.models
    validation = rounds[selected_round(rounds, run.settings.search)]["validation"] if rounds else None
    judge = JudgeFile(
        judge_prompt=await selected_prompt(run, rounds),
        **_tasks(run, validation, result),
        model=models.judge,
        judges=models.judges,
        panel=models.panel,
        seed=_seed(run.settings),
        examples=await write_examples(directory, run),
        validation=figures(validation, run.settings.search.metric) if validation else {},
        test=JudgeTest.of(result) if result else None,
        verdict=verdict(result) if result else "",
    )
    await asyncio.to_thread(directory.write, "judge.yaml", judge.dump())


def _tasks(run: OpenRun, validation: Metrics | None, result: Result | None) -> dict[str, Any]:
    """Return the fields of judge.yaml about the single task, or about all tasks."""
    settings = run.settings
    if not settings.task_names:
        return _task(settings, list(run.dataset.by_id.values()))
    names = ("criteria_calls", "criteria_aggregate")
    calls = {name: getattr(settings, name) for name in names} if settings.criteria else {}
    tasks = tuple(_judge_task(entry, run, validation, result) for entry in settings.entries)
    return {"tasks": tasks, "parts": settings.prompts.parts, **calls}


def _judge_task(entry: TaskEntry, run: OpenRun, validation: Metrics | None, result: Result | None) -> JudgeTask:
    name, test = entry.name, result and result["test"]
    samples = task_samples(list(run.dataset.by_id.values()), name)
    return JudgeTask(
        name=name,
        about=entry.about,
        label=entry.data.label if run.settings.criteria else None,
        weight=next((each.weight for each in run.settings.criteria if each.name == name), 1.0),
        validation=task_figures(validation, name),
        test=task_test_figures(test, name) if test else None,
        **_task(run.settings.of_task(name), samples),
    )


def _task(settings: Settings, samples: Sequence[Sample]) -> dict[str, Any]:
    """Return what new images of a task must be like."""
    images = None if settings.task.kind == "ranking" else max(len(sample.images) for sample in samples)
    return {
        "task": settings.task,
        "images": images,
        "image_names": (settings.data.image_names or ()) if _names_images(settings, images) else None,
        "further_columns": settings.further_columns,
    }


def _seed(settings: Settings) -> int | None:
    orders = {settings.of_task(name).task.order for name in settings.task_names or ("",)}
    return settings.search.seed if "random" in orders else None


def _names_images(settings: Settings, images: int | None) -> bool:
    """Return True if messages name the images of a sample."""
    has_one_label = settings.task.kind in ("ordinal", "categorical")
    return has_one_label and images not in (None, 1) and settings.data.names_images


async def write_verdicts(
    directory: RunDirectory, run: OpenRun, rounds: Sequence[RoundRecord], splits: Sequence[SplitName]
) -> None:
    """Write verdicts/{initial,best}.jsonl over `splits`; failed calls are errors.

    Samples that were not judged are left out: some methods of experiments judge parts of the train split alone.
    """
    prompts = {"initial": initial_prompts(run.settings)[0], "best": await selected_prompt(run, rounds)}
    for name, prompt in prompts.items():
        rows: list[dict[str, Any]] = []
        for split in splits:
            samples = run.split(split)
            verdicts = await recalled_verdicts(run, prompt, samples)
            pairs = zip(samples, verdicts, strict=True)
            rows += [verdict_line(s, v) | {"split": split} for s, v in pairs if not _was_never_asked(v)]
        await asyncio.to_thread(directory.write_lines, f"verdicts/{name}.jsonl", rows)


def _was_never_asked(verdict: Verdict) -> bool:
    return verdict.status == "error" and verdict.reason.startswith(NEVER_ASKED)


def _digest(record: RoundRecord, name: str) -> str:
    return record["judge_prompt_sha256"] if name == "judge" else record["i2t_prompt_sha256"]


async def _errors(run: OpenRun, record: RoundRecord) -> list[dict[str, Any]]:
    samples = run.samples(record["errors"])
    prompt = await run.store.text(record["judge_prompt_sha256"])
    return [verdict_line(s, v) for s, v in zip(samples, await recalled_verdicts(run, prompt, samples), strict=True)]
