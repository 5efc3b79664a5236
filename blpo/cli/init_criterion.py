"""Questions of `blpo init` about the criterion: the good label, and the decision of the judge."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from blpo.cli.init_dialog import Dialog
from blpo.data.label_proposal import are_means, good_label
from blpo.inference.initial_prompts import prompt_problem
from blpo.runs.new_project import JUDGE_PROMPT
from state.errors import ConfigError, DataError
from state.settings import SearchSettings, TaskSettings

_NONE = "none"


def ask_positive(task: TaskSettings, option: str | None, dialog: Dialog, *, is_pair: bool) -> TaskSettings:
    """Return the task with the good label as `task.positive`; scales and pairs of images have no good label."""
    if task.kind != "categorical":
        if option is not None:
            raise DataError("--positive names a category; ratings and pairs have no good label")
        return task

    def parse(text: str) -> str | None:
        if text not in task.labels and text != _NONE:
            raise DataError(f"{text!r} is none of the labels {', '.join(task.labels)}")
        return text if text in task.labels else None

    if is_pair:
        positive = None if option is None else parse(option)
    else:
        label = good_label(task.labels)
        question = f"Which label is the good one? {', '.join(task.labels)}, or {_NONE}"
        positive = dialog.answer("good label", question, option, parse, (label or _NONE, label))
    return task.model_copy(update={"positive": positive})


def ask_rounding(task: TaskSettings, numbers: Sequence[float], option: str | None, dialog: Dialog) -> TaskSettings:
    """Return the task with `task.round` for ratings with fractions, such as means of raters."""
    if option is not None and task.kind != "ordinal":
        raise DataError("--round belongs to ratings; categories are not rounded")
    if task.kind != "ordinal" or (option is None and not are_means(numbers)):
        return task

    def parse(text: str) -> Literal["nearest", "none"]:
        if text == "nearest":
            return "nearest"
        if text == "none":
            return "none"
        raise DataError(f"{text!r} is no rounding; write nearest or none")

    question = "Ratings have fractions. Compare the judge with the nearest rating, or MAE and correlations with the "
    question += "rating as it is (none)? nearest or none"
    rounding = dialog.answer("rounding", question, option, parse, ("nearest", "nearest"))
    return task.model_copy(update={"round": rounding})


def ask_question(folder: Path, option: str | None, dialog: Dialog) -> str:
    """Return the judge's question in a person's words; empty for the default prompt, or if there is a judge prompt."""
    if (folder / JUDGE_PROMPT).exists():
        return ""
    words = "What is the judge to decide? A sentence, such as: Does the image match its text?"
    return dialog.answer("judge prompt", words, option, _prompt, ("the default prompt", ""))


def _prompt(text: str) -> str:
    if problem := prompt_problem(text, SearchSettings().max_prompt_tokens):
        raise ConfigError(f"the question can't be used: {problem}")
    return text.strip()
