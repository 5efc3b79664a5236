"""Files of a new project: a config with comments, both prompts, and stand-ins for missing data."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blpo.config.yaml_text import write_flow
from blpo.data.project_data import LABELS_FILE, ProjectData
from blpo.data.tables import label_files
from blpo.inference.initial_prompts import initial_prompts
from state.errors import ConfigError
from state.settings import Settings, TaskSettings

_SCALE_NOTES = {
    None: "whole numbers",
    "nearest": "means count as the nearest rating, 3.5 as 4",
    "none": "MAE and correlations are with the means",
}
_BEST = {"lowest": "rank 1", "highest": "the highest rating"}
CONFIG_FILE = "config.yaml"
JUDGE_PROMPT = Path("prompts/judge.md")
NEW_LISTS = "list"
"""Column with the list of every image in a new labels file of a ranking."""
_HEAD = """\
# Made by blpo init. Settings that are not here have their defaults; examples/sample.yaml writes all of them out.
# blpo check says what is wrong, blpo estimate what a run costs, and blpo optimize runs it.
"""


@dataclass(frozen=True, slots=True)
class Project:
    """Content of a new project."""

    task: TaskSettings
    data: Mapping[str, object]
    """Section of the config."""
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Section of the config; empty for embedded models."""
    question: str = ""
    """Text of the judge prompt: the decision of the judge; empty for the default prompt of the task."""
    files: Mapping[Path, str] = field(default_factory=dict)
    """Stand-ins for missing data, by path from the project's folder."""
    todo: tuple[str, ...] = ()
    """Remaining work for people, by line."""
    criteria: tuple[Mapping[str, object], ...] = ()
    """Entries of the section `criteria`, in place of `task`; empty for a single task."""


def refuse_config(folder: Path) -> None:
    """Raise `ConfigError` if the folder has a config, because nothing is overwritten."""
    if (folder / CONFIG_FILE).exists():
        raise ConfigError(f"{folder / CONFIG_FILE} is there already, and nothing was written; name another folder")


def refuse_question(folder: Path) -> None:
    """Raise `ConfigError` if the folder has a judge prompt, because a question would not be written."""
    if (folder / JUDGE_PROMPT).exists():
        raise ConfigError(f"{folder / JUDGE_PROMPT} is there already; leave --question out, or remove the file")


def stand_ins(
    folder: Path, data: ProjectData, task: TaskSettings, question: str
) -> tuple[dict[Path, str], tuple[str, ...]]:
    """Return files that stand for missing data, and the remaining work for people."""
    path = Path(str(data.section["path"]))
    criterion = () if question else (f"say in {folder / JUDGE_PROMPT} what the judge is to decide",)
    if data.images is None:
        table = next(iter(label_files(folder / path)), folder / path)
        return {}, criterion if data.values else (f"write the labels into {table}", *criterion)
    if data.images:
        labels = f"write the labels of {len(data.images)} images into {folder / path}"
        return {path: _labels_csv(((name, "", "") for name in data.images), task)}, (labels, *criterion)
    images = f"put your images into {folder / 'images'}"
    rows = f"write a row for each into {folder / path}, instead of the two examples"
    values = task.values or (1, 2)
    examples = [("images/first.jpg", values[0], "first list"), ("images/second.jpg", values[-1], "first list")]
    return {path: _labels_csv(examples, task)}, (images, rows, *criterion)


def write_project(folder: Path, project: Project) -> list[str]:
    """Write the files; return a line for each file: `written`, or `kept` for an existing file."""
    files = {**project.files, **_prompts(project), Path(CONFIG_FILE): config_text(project)}
    if LABELS_FILE in project.files:
        (folder / "images").mkdir(parents=True, exist_ok=True)
    return [f"{_write(folder / name, text):<8} {folder / name}" for name, text in files.items()]


def config_text(project: Project) -> str:
    """Return the text of config.yaml."""
    task = project.task.changes()
    kind = project.task.kind
    scale = {"kind": kind, "min": project.task.min, "max": project.task.max}
    fields = {**scale, **({"round": task["round"]} if "round" in task else {})} if kind == "ordinal" else task
    notes = {
        "ordinal": _SCALE_NOTES[project.task.round],
        "pairwise": "which image is better; the judge sees both orders",
        "ranking": f"order of the images of a list; {_BEST.get(project.task.best or '')} is the best",
    }
    note = notes.get(kind, "one of these; or a scale: {kind: ordinal, min: 1, max: 5}")
    sections = [
        _criteria_lines(project.criteria) if project.criteria else [_line("", "task", fields, note)],
        ["data:", *_data_lines(project.data, is_ranking=kind == "ranking")],
        ["models:", *_model_lines(project.models)],
        [
            "prompts:",
            _line("  ", "judge_file", "prompts/judge.md", "what the judge is asked: the search rewrites it"),
            _line("  ", "i2t_file", "prompts/i2t.md", "how images are put into words for the optimizer"),
        ],
        [_line("", "limits", {"calls": 20000 if project.models else None}, "one budget over all models; tokens, usd")],
    ]
    return _HEAD + "".join("\n" + "\n".join(lines) + "\n" for lines in sections)


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        return "kept"
    return "written"


def _prompts(project: Project) -> dict[Path, str]:
    data = {
        "path": ".",
        **{name: project.data[name] for name in ("image", "image_names", "group") if name in project.data},
    }
    labels = {"criteria": list(project.criteria)} if project.criteria else {"task": project.task}
    judge, i2t = initial_prompts(Settings.model_validate({**labels, "data": data}))
    return {JUDGE_PROMPT: (project.question or judge) + "\n", Path("prompts/i2t.md"): i2t + "\n"}


def _labels_csv(rows: Iterable[tuple[str, object, str]], task: TaskSettings) -> str:
    """Return a labels file of (image, label, list); only a ranking has the column of lists."""
    columns = 3 if task.kind == "ranking" else 2
    text = io.StringIO()
    csv.writer(text).writerows(row[:columns] for row in [("image", "label", NEW_LISTS), *rows])
    return text.getvalue()


def _criteria_lines(criteria: Iterable[Mapping[str, object]]) -> list[str]:
    note = "# criteria of an image, judged in one call; `about` tells the judge in a sentence what one is"
    return ["criteria:", f"  {note}", *(f"  - {write_flow(dict(entry))}" for entry in criteria)]


def _data_lines(data: Mapping[str, object], *, is_ranking: bool) -> Iterator[str]:
    of_one = "column of the images of a row, in order" if "image_names" in data else "column of the image"
    of_several = "columns of the images, in order" if "image_names" in data else "columns of the images a and b"
    notes = {
        "path": "images are named relative to it",
        "image": of_several if isinstance(data.get("image"), list) else of_one,
        "image_names": "names for the judge, such as [front, side]; []: Image 1, Image 2, ...",
        "label": "column of the rank or the rating" if is_ranking else "column of the label",
        "text": "the judge reads the text of this column with the image",
        "group": "column with the list of every image" if is_ranking else "rows of one group stay in one split",
        "split": "train, validation and test as the column says",
        "raters": "ratings of several people become one label",
        "threshold": "cuts the numbers into the task's two labels",
    }
    for name, value in data.items():
        yield _line("  ", name, value, notes[name])


def _model_lines(models: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    if not models:
        yield _line("  ", "judge", {"name": "embedded:judge"}, "no key, GPU or network; it sees appearance alone")
    notes = {"judge": "stays as it is; its prompt is rewritten", "optimizer": "writes the prompts; reads text alone"}
    for role, model in models.items():
        yield _line("  ", role, dict(model), notes[role])


def _line(indent: str, name: str, value: object, note: str) -> str:
    return f"{indent + write_flow({name: value})[1:-1]:<44}  # {note}"
