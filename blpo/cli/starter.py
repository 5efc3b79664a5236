"""The files that `blpo init` writes: a config with comments, both prompts, and where there is no data yet a stub."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blpo.config.yaml_text import write_flow
from blpo.inference.initial_prompts import initial_prompts
from state.errors import ConfigError
from state.settings import Settings, TaskSettings

CONFIG = "config.yaml"
LABELS = Path("labels.csv")
HEAD = """\
# Made by blpo init. Settings that are not here have their defaults; examples/sample.yaml writes all of them out.
# blpo check says what is wrong, blpo estimate what a run costs, and blpo optimize runs it.
"""


@dataclass(frozen=True, slots=True)
class Starter:
    """What a project begins with."""

    task: TaskSettings
    data: Mapping[str, object]
    """The section of the config, with `path` as it is to be written there."""
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The section of the config; empty: embedded models."""
    files: Mapping[Path, str] = field(default_factory=dict)
    """What stands for data that is not there yet, by path from the project's folder."""
    todo: tuple[str, ...] = ()
    """What is left to do by hand, a line each."""


def refuse_config(folder: Path) -> None:
    """Raise `ConfigError` where the folder has a config, which would be overwritten."""
    if (folder / CONFIG).exists():
        raise ConfigError(f"{folder / CONFIG} is there already, and nothing was written; name another folder")


def write(folder: Path, starter: Starter) -> list[str]:
    """Write the files, and return a line for each: `written` or, where there was one already, `kept`."""
    files = {**starter.files, **prompts(starter.task), Path(CONFIG): config(starter)}
    if LABELS in starter.files:
        (folder / "images").mkdir(parents=True, exist_ok=True)
    return [f"{_write(folder / name, text):<8} {folder / name}" for name, text in files.items()]


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        return "kept"
    return "written"


def prompts(task: TaskSettings) -> dict[Path, str]:
    """The default prompts of the task, by file."""
    judge, i2t = initial_prompts(Settings.model_validate({"task": task, "data": {"path": "."}}))
    return {Path("prompts/judge.md"): judge + "\n", Path("prompts/i2t.md"): i2t + "\n"}


def example_labels(task: TaskSettings) -> str:
    """A labels.csv whose two rows show the form."""
    return labels_csv([("images/first.jpg", task.values[0]), ("images/second.jpg", task.values[-1])])


def labels_csv(rows: Iterable[tuple[str, object]]) -> str:
    """A labels.csv of images and their labels."""
    text = io.StringIO()
    csv.writer(text).writerows([("image", "label"), *rows])
    return text.getvalue()


def config(starter: Starter) -> str:
    """The text of config.yaml."""
    task = starter.task.model_dump(mode="json", exclude_defaults=True)
    kind = starter.task.kind
    named = {"kind": kind, "min": starter.task.min, "max": starter.task.max} if kind == "ordinal" else task
    note = "whole numbers" if kind == "ordinal" else "one of these; or a scale: {kind: ordinal, min: 1, max: 5}"
    sections = [
        [_line("", "task", named, note)],
        ["data:", *_data(starter.data)],
        ["models:", *_models(starter.models)],
        [
            "prompts:",
            _line("  ", "judge_file", "prompts/judge.md", "what the judge is asked: the search rewrites it"),
            _line("  ", "i2t_file", "prompts/i2t.md", "how images are put into words for the optimizer"),
        ],
        [_line("", "limits", {"calls": 20000 if starter.models else None}, "one budget over all models; tokens, usd")],
    ]
    return HEAD + "".join("\n" + "\n".join(lines) + "\n" for lines in sections)


def _data(data: Mapping[str, object]) -> Iterator[str]:
    notes = {
        "path": "images are named relative to it",
        "image": "column of the image",
        "label": "column of the label",
        "group": "rows of one group stay in one split",
        "split": "train, validation and test as the column says",
        "threshold": "cuts the numbers into the task's two labels",
    }
    for name, value in data.items():
        yield _line("  ", name, value, notes[name])


def _models(models: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    if not models:
        yield _line("  ", "judge", {"name": "embedded:judge"}, "no key, GPU or network; it sees appearance alone")
    notes = {"judge": "stays as it is; its prompt is rewritten", "optimizer": "writes the prompts; reads text alone"}
    for role, model in models.items():
        yield _line("  ", role, dict(model), notes[role])


def _line(indent: str, name: str, value: object, note: str) -> str:
    return f"{indent + write_flow({name: value})[1:-1]:<44}  # {note}"
