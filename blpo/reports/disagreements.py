"""Samples with different labels by the best prompt and by people."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.data.run_dataset import dataset_of
from blpo.metrics.loss import loss
from blpo.reports.label_source import LabelSource
from blpo.runs.answer_words import answer_words
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from state.errors import ConfigError, DataError, RunError
from state.sample import Label
from state.settings import Settings, TaskSettings


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A sample with different labels by the best prompt and by people."""

    id: str
    split: str
    label: Label
    """The human label."""
    verdict: Label | None
    """The judge's label under the best prompt; None for a pair whose orders have different labels."""
    confidence: float | None
    """Probability of the judge's label by the judge, in [0, 1]; None without log-probabilities."""
    distance: float
    """Loss of the verdict, in [0, 1]."""
    steady: bool
    """True if the initial prompt gave the same verdict."""
    reason: str
    """Reason by the judge."""
    image: str
    """File or row of the image; empty without the dataset."""
    answer: str
    """The judge's answer in words: the label, or `first in both orders` for a pair."""
    task: str = ""
    """Task among several tasks; empty for a single task."""


def disagreements(run: str | Path, task: str | None = None) -> list[Disagreement]:
    """Return the samples of a finished run with a best verdict unlike the human label, most confident first (`order`).

    `task`: of one of several tasks alone. Raises `ConfigError` for an unknown task, and `RunError` for a folder that is
    no run and for a run that is not finished.
    """
    record = RunRecord.read(run)
    require_verdicts(record)
    settings = record.settings
    if task is not None and task not in settings.task_names:
        tasks = f"its tasks are {', '.join(settings.task_names)}" if settings.task_names else "it has a single task"
        raise ConfigError(f"{run} has no task {task}; {tasks}")
    wrong = [row for row in record.best.values() if row.status == "ok" and not row.is_right]
    images = _images(settings)
    differing = [
        _disagreement(row, record.initial[row.id], settings.of_task(row.task).task, images.get(row.id, ""))
        for row in wrong
        if task is None or row.task == task
    ]
    return sorted(differing, key=_rank)


def order(disagreements: Sequence[Disagreement], source: LabelSource) -> str:
    """Return the order of disagreements in words: by confidence if the judge gave probabilities, else by distance."""
    if any(each.confidence is not None for each in disagreements):
        return "by the probability that the judge holds its own label for, highest first"
    return (
        f"by distance from {source.label}, then those that the initial prompt judged the same way (the judge gave no"
        " probabilities: set models.judge.logprobs where its server has them)"
    )


def require_verdicts(run: RunRecord) -> None:
    """Raise `RunError` unless the samples of the run are judged under the first and the selected prompt."""
    if not run.best:
        raise RunError(
            f"{run.directory} has no verdicts yet; they are written when it is finished: blpo resume {run.directory}"
        )


def _disagreement(row: VerdictRow, before: VerdictRow, task: TaskSettings, image: str) -> Disagreement:
    return Disagreement(
        id=row.id,
        split=row.split,
        label=row.label,
        verdict=row.verdict,
        confidence=None if row.verdict is None else row.scores.get(str(row.verdict)),
        distance=loss(row.in_verdict, row.label, task) or 0.0,
        steady=[each.answer for each in before.answers] == [each.answer for each in row.answers],
        reason=row.reason,
        image=image,
        answer=answer_words(row),
        task=row.task,
    )


def _rank(each: Disagreement) -> tuple[bool, float, float, bool, str]:
    return each.confidence is None, -(each.confidence or 0.0), -each.distance, not each.steady, each.id


def _images(settings: Settings) -> dict[str, str]:
    try:
        samples = dataset_of(settings).by_id.values()
    except DataError:
        return {}
    return {s.id: ", ".join(str(getattr(image, "path", image.name)) for image in s.images) for s in samples}


def disagreement_rows(disagreements: Sequence[Disagreement]) -> list[dict[str, Any]]:
    """Return the disagreements as plain values; `task` is left out for a single task."""
    names = [name for name in Disagreement.__slots__ if name != "task"]
    return [
        {name: getattr(each, name) for name in names} | ({"task": each.task} if each.task else {})
        for each in disagreements
    ]
