"""A judge of single images, put to work on pairs in two forms: asked about both at once, and two labels compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from blpo.deployment.inputs import is_config
from blpo.deployment.judge import Judge
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.settings import TaskSettings

PairForm = Literal["pairwise", "ratings"]
"""`pairwise`: the prompt is asked about the pair, in both orders. `ratings`: the prompt is asked about each of the two
alone, and the labels are compared; equal labels are half right, or a tie."""


def pair_forms(file: JudgeFile, *, ties: bool = False) -> dict[PairForm, Judge]:
    """Return the judge of single images as two judges of pairs with the same prompt and model.

    Raises `ConfigError` for a judge of pairs, of rankings, or of more than two labels.
    """
    if file.tasks:
        raise ConfigError("--as pairwise is for a judge of a single task; this one has several")
    if file.images not in (None, 1):
        together = "two" if file.images == 2 else "several"
        raise ConfigError(
            f"--as pairwise is for a judge of single images; this judge labels {together} images together"
        )
    tasks: dict[PairForm, TaskSettings] = {
        "pairwise": TaskSettings(kind="pairwise", ties=ties),
        "ratings": _task_apart(file.task, ties),
    }
    changes: dict[str, Any] = {"validation": {}, "test": None, "verdict": ""}
    return {form: Judge(file.model_copy(update={"task": task, **changes})) for form, task in tasks.items()}


def have_ties(inputs: Sequence[str]) -> bool:
    """Return True if a config among the inputs is of pairs with ties.

    Raises `ConfigError` for a config with a further image: two images judged alone can't be compared with it.
    """
    from blpo.config.settings_file import load_settings

    configs = {name: load_settings(name) for name in inputs if is_config(Path(name))}
    for name, config in configs.items():
        if config.data.reference or config.data.before:
            raise ConfigError(f"{name}: --as pairwise judges each image alone, without a reference or an image before")
    return any(config.task.ties for config in configs.values())


def _task_apart(task: TaskSettings, ties: bool) -> TaskSettings:
    if task.kind == "ordinal":
        return TaskSettings(kind="pairwise", order="apart", ties=ties, min=task.min, max=task.max)
    if task.kind != "categorical":
        raise ConfigError(f"--as pairwise is for a judge of single images; this judge is of kind {task.kind}")
    if len(task.labels) != 2 or task.positive is None:
        raise ConfigError(
            "--as pairwise compares ratings, or two labels of which task.positive is the better; this judge has the"
            f" labels {', '.join(task.labels)} and {'no positive label' if task.positive is None else 'more than two'}"
        )
    return TaskSettings(kind="pairwise", order="apart", ties=ties, labels=task.labels, positive=task.positive)
