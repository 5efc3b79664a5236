"""Questions of `blpo init`, each with a default that follows from the data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from blpo.cli.error_lines import say
from blpo.cli.init_criterion import ask_positive, ask_question, ask_rounding
from blpo.cli.init_dialog import Dialog
from blpo.config.settings_file import load_settings
from blpo.config.task_text import categories_of, pair_of, ranking_of, scale_of, task_of, task_text
from blpo.data.criteria_proposal import propose_criteria
from blpo.data.label_proposal import ProposedLabels, as_numbers, propose_labels
from blpo.data.pair_proposal import NOT_A_PREFERENCE, propose_pair
from blpo.data.project_data import ColumnNames, ProjectData, data_at, data_here
from blpo.data.ranking_proposal import propose_ranking
from blpo.models.project_models import default_address, default_optimizer, is_served, model_name, models_section
from blpo.runs.new_project import CONFIG_FILE, NEW_LISTS, Project, refuse_question, stand_ins
from state.errors import DataError
from state.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class ProjectOptions:
    """Options that answer questions."""

    data: Path | None
    columns: ColumnNames
    labels: str | None
    scale: str | None
    judge: str | None
    base_url: str | None
    optimizer: str | None
    positive: str | None = None
    question: str | None = None
    round: str | None = None
    ranking: Literal["lowest", "highest"] | None = None


def ask_project(folder: Path, options: ProjectOptions, *, asks: bool) -> Project:
    """Ask on stderr all questions without an option; with `asks` false, or at the end of stdin, take the defaults.

    Raises `BlpoError` for an option that can't be used. A bad answer is explained and asked for again.
    """
    if options.columns.criteria:
        _refuse_labels(options)
    if options.question is not None:
        refuse_question(folder)
    dialog = Dialog(asks)
    data = dialog.answer(
        "data",
        "Where are your labels or images? A labels file, or a folder",
        None if options.data is None else str(options.data),
        lambda text: data_at(folder, Path(text).expanduser(), options.columns),
        data_here(folder, options.columns),
    )
    if data.text_note:
        say(data.text_note)
    for warning in data.warnings:
        say(f"warning: {warning}")
    if data.criteria:
        return _project_of_criteria(folder, data, options, dialog)
    task, is_cut = _task(data, options, dialog)
    section = {**data.section, **({"threshold": "median"} if is_cut else {}), **_list_column(data, task)}
    if task.kind == "pairwise":
        section.pop("image_names", None)  # a pair has names of its own
    models = _models(options, dialog)
    load_settings({"task": task, "data": {**section, "path": "."}, **({"models": models} if models else {})})
    task = ask_positive(task, options.positive, dialog, is_pair=_pair(section) is not None)
    question = ask_question(folder, options.question, dialog)
    if dialog.assumptions:
        say(f"assumed: {'; '.join(dialog.assumptions)} (blpo init --help lists the options for other answers)")
    files, todo = stand_ins(folder, replace(data, section=section), task, question)
    return Project(task, section, models, question, files, todo)


def _refuse_labels(options: ProjectOptions) -> None:
    """Raise `DataError` for options about one column of labels."""
    one = {"--label": options.columns.label, **{f"--{name}": getattr(options, name) for name in _OF_ONE_LABEL}}
    if names := [name for name, value in one.items() if value is not None]:
        raise DataError(f"--criteria takes the labels of each criterion from its column; leave out {names[0]}")


_OF_ONE_LABEL = ("labels", "scale", "ranking", "positive", "round", "question")


def _project_of_criteria(folder: Path, data: ProjectData, options: ProjectOptions, dialog: Dialog) -> Project:
    """Return the project of several criteria, whose labels follow from the columns."""
    criteria = propose_criteria(data.criteria, data.column)
    for line in criteria.in_words:
        say(line)
    section = {**data.section, **({"threshold": "median"} if criteria.is_cut else {})}
    models = _models(options, dialog)
    sections = {"criteria": list(criteria.entries), "data": {**section, "path": "."}}
    load_settings({**sections, **({"models": models} if models else {})})
    if dialog.assumptions:
        say(f"assumed: {'; '.join(dialog.assumptions)} (blpo init --help lists the options for other answers)")
    todo = f"say in {folder / CONFIG_FILE} what each criterion is (about: a sentence)"
    return Project(TaskSettings(), section, models, todo=(todo,), criteria=criteria.entries)


def _pair(section: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the two columns of images; None for samples of one image."""
    images = section.get("image")
    return (images[0], images[1]) if isinstance(images, list) and len(images) == 2 else None


def _list_column(data: ProjectData, task: TaskSettings) -> dict[str, str]:
    """Return the column of lists for a ranking without data; raises `DataError` for a table without such a column."""
    if task.kind != "ranking" or "group" in data.section:
        return {}
    if data.images is None:
        raise DataError("a ranking needs the list of every image; name the column with --group")
    return {"group": NEW_LISTS}


def _proposal(data: ProjectData, pair: tuple[str, str] | None) -> ProposedLabels:
    if data.lists:
        return propose_ranking(data.lists)
    if pair is None:
        return propose_labels(data.values, data.column)
    preference = propose_pair(data.values, pair)
    if preference is not None:
        return preference
    labels = propose_labels(data.values, data.column)
    return replace(labels, warnings=(*labels.warnings, NOT_A_PREFERENCE))


def _task(data: ProjectData, options: ProjectOptions, dialog: Dialog) -> tuple[TaskSettings, bool]:
    """Return the task, and True if the labels are numbers to be cut in two."""
    kinds = (options.labels, options.scale, options.ranking and f"ranking {options.ranking}")
    option = next((kind for kind in kinds if kind is not None), None)
    if len([kind for kind in kinds if kind is not None]) > 1:
        raise DataError("give one of --labels, --scale and --ranking")
    if options.round is not None and options.labels is not None:
        raise DataError("--round belongs to ratings, and --labels names categories; leave one out")
    parse = categories_of if options.labels is not None else scale_of if options.scale is not None else task_of
    pair = _pair(data.section)
    default = ("1-5", TaskSettings())
    if data.values and option is None:
        labels = _proposal(data, pair)
        say(f"{data.column} holds {labels.in_words}" + (": cut at the median" if labels.is_cut else ""))
        for warning in labels.warnings:
            say(f"warning: {_place(warning, data)}{warning}")
        default = (task_text(labels.task), labels.task)
    question = "What is a label? Categories such as safe,unsafe, a scale such as 1-5, or ranking lowest (or highest)"

    def read(text: str) -> TaskSettings:
        return ranking_of(text) or (pair and pair_of(text)) or parse(text)

    task = dialog.answer("labels", question, option, read, default)
    numbers = as_numbers(data.values)
    is_cut = len(set(numbers)) > 2 and task.kind == "categorical" and len(task.labels) == 2
    return ask_rounding(task, numbers, options.round, dialog), is_cut


def _place(warning: str, data: ProjectData) -> str:
    """Return the place of the first rating with a fraction, for a warning about the rating."""
    return f"{data.fractions[0]}: " if data.fractions and "task.round" in warning else ""


def _models(options: ProjectOptions, dialog: Dialog) -> dict[str, dict[str, str]]:
    """Return the section `models`; empty for embedded models."""
    question = "Which judge? embedded, or a model on a server, such as vllm:NAME or openai:NAME"
    judge = dialog.answer("judge", question, options.judge, model_name, ("embedded", ""))
    if not judge:
        return {}
    address = options.base_url or ""
    if is_served(judge):
        local = default_address(judge)
        address = dialog.answer(
            "address", "Address of its server", options.base_url, str.strip, (local or "the vendor's", local)
        )
    own = default_optimizer(judge, address)
    optimizer = dialog.answer("optimizer", "Which model writes the prompts?", options.optimizer, model_name, (own, own))
    return models_section(judge, address, optimizer)
