"""Aggregate of a checklist in a judging: the weighted share of criteria with the positive label."""

from collections.abc import Mapping
from dataclasses import replace

from typing_extensions import TypedDict

from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.checklist import share_agreement
from blpo.runs.judge_file import JudgeFile
from state.criteria_metrics import AggregateValues
from state.sample import Label


class ChecklistRecord(TypedDict):
    """Shares of a checklist over the judged images."""

    images: int
    """Images with a label for each criterion."""
    mean: float | None
    """Mean share by the judge; None without an image."""
    labelled: int
    """Images that people have also labelled by each criterion."""
    people: AggregateValues | None
    """Agreement of the judge's shares with people's over `labelled`; None without any."""


class ChecklistShare:
    """Shares of images whose criteria come in a row, in the order of the judge's tasks.

    Memory grows with the labelled images alone.
    """

    def __init__(self, file: JudgeFile) -> None:
        self._tasks = {task.name: task for task in file.tasks} if file.criteria_aggregate == "share" else {}
        self._judge: dict[str, Label | None] = {}
        self._people: dict[str, Label | None] = {}
        self._images, self._sum = 0, 0.0
        self._pairs: list[tuple[float, float]] = []

    def add(self, item: JudgedSample) -> JudgedSample:
        """Return the sample; the last criterion of an image has the share, if all criteria have a label."""
        if not self._tasks:
            return item
        self._judge[item.sample.task], self._people[item.sample.task] = item.verdict.label, item.sample.label
        if item.sample.task != next(reversed(self._tasks)):
            return item
        share, human = self._share(self._judge), self._share(self._people)
        self._judge, self._people = {}, {}
        if share is None:
            return item
        self._images, self._sum = self._images + 1, self._sum + share
        if human is not None:
            self._pairs.append((human, share))
        return replace(item, share=share)

    def record(self) -> ChecklistRecord | None:
        """Return the numbers of all images; None for a judge that is no checklist."""
        if not self._tasks:
            return None
        people = share_agreement(*map(list, zip(*self._pairs, strict=True))) if self._pairs else None
        mean = self._sum / self._images if self._images else None
        return ChecklistRecord(images=self._images, mean=mean, labelled=len(self._pairs), people=people)

    def _share(self, answers: Mapping[str, Label | None]) -> float | None:
        """Return the share; None unless each criterion has a label."""
        if len(answers) < len(self._tasks) or None in answers.values():
            return None
        reached = sum(task.weight for name, task in self._tasks.items() if answers[name] == task.task.positive)
        return reached / sum(task.weight for task in self._tasks.values())
