"""What `blpo init` asks, each question with a default that follows from what is there."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from blpo.cli.failures import say
from blpo.cli.starter import LABELS, Starter, example_labels, labels_csv
from blpo.cli.wording import one_line
from blpo.config.settings_file import load_settings
from blpo.data.column_proposal import propose_columns
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.label_proposal import as_numbers, propose_labels
from blpo.data.labels import is_empty
from blpo.data.tables import LABEL_FILES, Table, label_files, open_table
from blpo.models.registry import provider_of
from state.errors import BlpoError, DataError
from state.settings import ModelSettings, TaskSettings

T = TypeVar("T")
SERVED = ("openai", "vllm")
"""Providers that may be at an address."""
LOCAL_VLLM = "http://localhost:8000/v1"


@dataclass(frozen=True, slots=True)
class Given:
    """The options that answer questions beforehand."""

    data: Path | None = None
    image: str | None = None
    label: str | None = None
    labels: str | None = None
    scale: str | None = None
    judge: str | None = None
    base_url: str | None = None
    optimizer: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where the data is, or will be."""

    section: Mapping[str, object]
    """The section `data` of the config."""
    values: tuple[object, ...] = ()
    """What the labels' column holds; empty where nothing is labelled yet."""
    where: str = ""
    images: tuple[str, ...] | None = None
    """Images that wait for labels, relative to the folder that `section` names; None where there is a labels file."""


def starter(folder: Path, given: Given, *, asks: bool) -> Starter:
    """Ask what the options leave open, on stderr; where `asks` is false, or at the end of stdin, take the defaults.

    Raises `BlpoError` for an option that can't be used; a bad answer is told, and asked for again.
    """
    ask = _Asking(asks)
    source = ask.answer(
        "Where are your labels or images? A labels file, or a folder",
        None if given.data is None else str(given.data),
        lambda text: _source(folder, Path(text).expanduser(), given),
        _source_here(folder, given),
    )
    task, is_cut = _task(source, given, ask)
    section = {**source.section, **({"threshold": "median"} if is_cut else {})}
    models = _models(given, ask)
    load_settings({"task": task, "data": {**section, "path": "."}, **({"models": models} if models else {})})
    files, todo = _stand_ins(folder, source, task)
    return Starter(task, section, models, files, todo)


class _Asking:
    def __init__(self, asks: bool) -> None:
        self._asks = asks

    def answer(self, question: str, option: str | None, read: Callable[[str], T], default: tuple[str, T]) -> T:
        """What the option says, else the person, else the default, which comes with how it is shown."""
        if option is not None:
            return read(option)
        while True:
            text = self._line(f"{question} [{default[0]}]: ")
            if not text:
                return default[1]
            try:
                return read(text)
            except BlpoError as error:
                say(str(error))

    def _line(self, prompt: str) -> str:
        if not self._asks:
            return ""
        sys.stderr.write(one_line(prompt) + " ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        self._asks = bool(line)  # at the end of input, defaults
        if not line:
            sys.stderr.write("\n")
        return line.strip()


def _source_here(folder: Path, given: Given) -> tuple[str, Source]:
    """The labels or images that are in the project's folder already, else a labels file to be filled in."""
    named = label_files(folder)
    if named or (folder.is_dir() and _images_below(folder)):
        path = named[0] if named else folder
        return str(path), _source(folder, path, given)
    return "none yet", Source({"path": str(LABELS)}, images=())


def _source(folder: Path, path: Path, given: Given) -> Source:
    if path.is_dir() and not any((path / name).exists() for name in (*LABEL_FILES, "dataset_dict.json", "state.json")):
        images = _images_below(path)
        if not images:
            raise DataError(f"{path}: holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}) and no labels file")
        return Source({"path": _written(folder, path / LABELS)}, images=tuple(images))
    return _labelled(open_table(str(path)), _written(folder, path), given)


def _labelled(table: Table, path: str, given: Given) -> Source:
    columns = propose_columns(table, image=given.image, label=given.label)
    images = columns.image if isinstance(columns.image, str) else list(columns.image)
    section = {
        "path": path,
        **({"image": images} if images != "image" else {}),
        **({"label": columns.label} if columns.label != "label" else {}),
        **({"group": columns.group} if columns.group else {}),
        **({"split": {"column": columns.split}} if columns.split else {}),
    }
    values = tuple(value for value in table.values(columns.label) if not is_empty(value))
    return Source(section, values, f"{table.name}: column {columns.label!r}")


def _images_below(folder: Path) -> list[str]:
    """Images by their path from the folder, in order; nothing hidden, and no run's."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "runs")
        names = sorted(name for name in files if Path(name).suffix.lower() in IMAGE_SUFFIXES and name[0] != ".")
        found += [Path(place, name).relative_to(folder).as_posix() for name in names]
    return found


def _written(folder: Path, path: Path) -> str:
    """A path as the config names it: from its folder where it lies in it, else absolute."""
    if str(path).startswith("hub:"):
        return str(path)
    relative = os.path.relpath(path.absolute(), folder.absolute())
    return str(path.absolute()) if relative.startswith(os.pardir) else relative


def _task(source: Source, given: Given, ask: _Asking) -> tuple[TaskSettings, bool]:
    """The task, and whether its labels are numbers to be cut in two."""
    option = given.labels if given.labels is not None else given.scale
    if given.labels is not None and given.scale is not None:
        raise DataError("give --labels or --scale, not both")
    read = _categories if given.labels is not None else _scale if given.scale is not None else _task_of
    default = ("1-5", TaskSettings())
    if source.values and option is None:
        proposed = propose_labels(source.values, source.where)
        say(f"{source.where} holds {proposed.in_words}" + (": cut at the median" if proposed.is_cut else ""))
        default = (_task_in_words(proposed.task), proposed.task)
    question = "What is a label? Categories such as safe,unsafe, or a scale such as 1-5"
    task = ask.answer(question, option, read, default)
    numbers = as_numbers(source.values)
    is_cut = len(set(numbers)) > 2 and task.kind == "categorical" and len(task.labels) == 2
    return task, is_cut


def _task_in_words(task: TaskSettings) -> str:
    return f"{task.min}-{task.max}" if task.kind == "ordinal" else ",".join(task.labels)


def _task_of(text: str) -> TaskSettings:
    return _scale(text) if _RANGE.fullmatch(text) else _categories(text)


_RANGE = re.compile(r"\s*([+-]?\d+)\s*(?:-|\.\.|to|\s)\s*([+-]?\d+)\s*", re.ASCII)


def _scale(text: str) -> TaskSettings:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise DataError(f"{text!r} is no scale; write its ends, such as 1-5")
    return _valid({"kind": "ordinal", "min": int(found[1]), "max": int(found[2])})


def _categories(text: str) -> TaskSettings:
    return _valid({"kind": "categorical", "labels": [name.strip() for name in text.split(",") if name.strip()]})


def _valid(task: Mapping[str, object]) -> TaskSettings:
    return load_settings({"task": task, "data": {"path": "."}}).task


def _models(given: Given, ask: _Asking) -> dict[str, dict[str, str]]:
    """The section `models`; empty for embedded ones."""
    question = "Which judge? embedded, or a model on a server, such as vllm:NAME or openai:NAME"
    judge = ask.answer(question, given.judge, _model, ("embedded", ""))
    if not judge:
        return {}
    provider = judge.partition(":")[0]
    local = LOCAL_VLLM if provider == "vllm" else ""
    url = given.base_url or ""
    if provider in SERVED:
        url = ask.answer("Address of its server", given.base_url, str.strip, (local or "the vendor's", local))
    place = {"base_url": url} if url else {}
    own = judge if url or provider not in SERVED else "openai:o3"
    optimizer = ask.answer("Which model writes the prompts?", given.optimizer, _model, (own, own))
    return {
        "judge": {"name": judge, **place},
        "optimizer": {"name": optimizer or "embedded:optimizer", **(place if optimizer == judge else {})},
    }


def _model(text: str) -> str:
    """A model's name with its provider; empty for embedded ones. Raises `ModelError` for an unknown provider."""
    if text == "embedded" or text.startswith("embedded:"):
        return ""
    name = text if ":" in text else f"openai:{text}"
    provider_of(ModelSettings(name=name))
    return name


def _stand_ins(folder: Path, source: Source, task: TaskSettings) -> tuple[dict[Path, str], tuple[str, ...]]:
    """Files for data that is not there yet, and what is left to do."""
    path = Path(str(source.section["path"]))
    criterion = f"say in {folder / 'prompts/judge.md'} what the judge is to decide"
    if source.images is None:
        table = next(iter(label_files(folder / path)), folder / path)
        return {}, (criterion,) if source.values else (f"write the labels into {table}", criterion)
    if source.images:
        waiting = f"write the labels of {len(source.images)} images into {folder / path}"
        return {path: labels_csv((name, "") for name in source.images)}, (waiting, criterion)
    images = f"put your images into {folder / 'images'}"
    rows = f"write a row for each into {folder / path}, instead of the two examples"
    return {path: example_labels(task)}, (images, rows, criterion)
