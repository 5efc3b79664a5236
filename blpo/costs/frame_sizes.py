"""Tokens of the text around the prompts: frames, answers for several criteria, and notes on several tasks."""

from functools import lru_cache
from typing import Literal

from blpo.costs.token_sizes import tokens
from blpo.inference.answer_forms import answer_form, asks_once
from blpo.prompts.cases import labels_of
from blpo.prompts.template import template
from state.sample import Sample
from state.settings import Settings, TaskSettings


def frame(settings: Settings, sample: Sample, name: Literal["judge", "verbalize"]) -> int:
    """Return the tokens of the text around a judge prompt or an I2T prompt in a message about `sample`."""
    task = settings.of_task(sample.task).task
    form = answer_form(settings, sample)
    suffix = _suffix(task.parts or task, has_names=bool(sample.image_names))
    return _frame(f"{name}{suffix}", form.task_note + form.words if name == "judge" else "")


def further_labels(settings: Settings) -> int:
    """Return the tokens of an answer for all criteria beyond an answer with one label; 0 for other runs."""
    if not asks_once(settings):
        return 0
    tasks = [(name, settings.of_task(name).task) for name in settings.task_names]
    return tokens("".join(f'"{name}": {max(map(str, task.values), key=len)}, ' for name, task in tasks[1:]))


def case_notes(settings: Settings) -> int:
    """Return the tokens of the notes on several tasks in a message to the optimizer; 0 for a single task."""
    return tokens(labels_of(settings)) if settings.task_names else 0


def _suffix(task: TaskSettings, *, has_names: bool) -> str:
    if task.kind == "pairwise":
        return "" if task.order == "apart" else "_pair"
    if task.kind == "ranking":
        return "_ranking"
    return "_images" if has_names else ""


@lru_cache(maxsize=256)
def _frame(name: str, words: str) -> int:
    return tokens(template(name) + words)
