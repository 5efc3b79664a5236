"""Aggregate of a checklist in the lines of a judging: the weighted share of criteria with the positive label."""

from dataclasses import replace

from blpo.deployment.verdict_lines import JudgedSample
from blpo.runs.judge_file import JudgeFile
from state.sample import Label


class ChecklistShare:
    """Shares of images whose criteria come in a row, in the order of the judge's tasks."""

    def __init__(self, file: JudgeFile) -> None:
        self._tasks = {task.name: task for task in file.tasks} if file.criteria_aggregate == "share" else {}
        self._answers: dict[str, Label | None] = {}

    def add(self, item: JudgedSample) -> JudgedSample:
        """Return the sample; the last criterion of an image has the share, if all criteria have a label."""
        if not self._tasks:
            return item
        self._answers[item.sample.task] = item.verdict.label
        if item.sample.task != next(reversed(self._tasks)):
            return item
        answers, self._answers = self._answers, {}
        if len(answers) < len(self._tasks) or None in answers.values():
            return item
        reached = sum(task.weight for name, task in self._tasks.items() if answers[name] == task.task.positive)
        return replace(item, share=reached / sum(task.weight for task in self._tasks.values()))
