"""Positive label of an exported judge: the category that scores 1."""

from collections.abc import Iterable

from blpo.config.overrides import override_name
from blpo.config.yaml_text import parse_yaml
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.settings import TaskSettings

_NAME = "task.positive"


def with_positive(judge: JudgeFile, overrides: Iterable[str]) -> JudgeFile:
    """Return the judge with the positive label of the overrides; raises `ConfigError` for any other override."""
    for override in overrides:
        if override_name(override) != _NAME or "=" not in override:
            raise ConfigError(f"--set {override}: an export of a judge takes {_NAME}=LABEL alone")
        task = judge.task.model_copy(update={"positive": _label(override, judge.task)})
        judge = judge.model_copy(update={"task": task})
    return judge


def require_positive(task: TaskSettings) -> None:
    """Raise `ConfigError` for categories without a positive label: no score would be right."""
    if task.kind == "categorical" and task.positive is None:
        raise ConfigError(
            f"{_NAME} is not set; say which label scores 1 ({', '.join(task.labels)}): --set {_NAME}=LABEL"
        )


def _label(override: str, task: TaskSettings) -> str:
    text = override.partition("=")[2].strip()
    label = text if text in task.labels else parse_yaml(text, f"--set {_NAME}")
    if label not in task.labels:
        labels = ", ".join(map(str, task.values))
        raise ConfigError(f"--set {override}: is no category of the judge, whose labels are {labels}")
    return str(label)
