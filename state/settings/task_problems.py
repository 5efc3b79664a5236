"""Problems between the task of a run and the sections `data`, `prompts` and `search`."""

from state.settings.data_settings import DataSettings
from state.settings.metric_names import metric_problem
from state.settings.prompt_settings import PromptSettings
from state.settings.search_settings import SearchSettings
from state.settings.task_settings import TaskSettings


def task_problem(task: TaskSettings, data: DataSettings, prompts: PromptSettings, search: SearchSettings) -> str | None:
    """Return the first problem of settings about a single task; None for usable settings."""
    if problem := metric_problem(search.metric, task):
        return f"search.metric: {problem}"
    return (
        _label_problem(task, data)
        or _reference_problem(data, prompts)
        or _examples_problem(task, data, prompts)
        or _rater_problem(task, data, search)
        or _pair_problem(task, data, search)
        or _ranking_problem(task, data, search)
        or _image_names_problem(task, data)
    )


def _label_problem(task: TaskSettings, data: DataSettings) -> str | None:
    """Return the problem of labels that do not fit the task; None for usable settings."""
    if data.path is None and (task.kind, task.min, task.max) != ("ordinal", 1, 5):
        return "data.path: the built-in sample is rated 1 to 5; give data.path for another task"
    if data.threshold is not None and len(task.values) != 2:
        return "data.threshold: cuts labels in two, so the task must have exactly two labels"
    return None


def _reference_problem(data: DataSettings, prompts: PromptSettings) -> str | None:
    """Return the problem of settings about a reference; None for usable settings."""
    name = next((name for name in ("reference", "reference_text") if getattr(data, name)), None)
    if name is not None and data.path is None:
        return f"data.{name}: the built-in sample has no such column; give data.path"
    if name is None and prompts.reference != "both":
        return "prompts.reference: needs data.reference or data.reference_text"
    return None


def _examples_problem(task: TaskSettings, data: DataSettings, prompts: PromptSettings) -> str | None:
    """Return the problem of settings about examples; None for usable settings."""
    if not prompts.examples:
        return None
    if task.kind not in ("ordinal", "categorical") or len(data.columns_of_images) > 1:
        return "prompts.examples: shows single images with one label; pairs, rankings and lists have no examples"
    if data.reference is not None or data.reference_text is not None:
        return "prompts.examples: shows images without a reference; take out data.reference and data.reference_text"
    return None


def _rater_problem(task: TaskSettings, data: DataSettings, search: SearchSettings) -> str | None:
    """Return the problem of settings about raters and slices; None for usable settings."""
    raters = data.raters
    if data.path is None and (raters is not None or data.slices):
        return "data.raters and data.slices: the built-in sample has no such columns; give data.path"
    if raters is None:
        return None if search.agreement is None else "search.agreement: needs data.raters"
    rule = raters.rule(task)
    if task.kind != "ordinal" and rule != "majority":
        return f"data.raters.aggregate: {rule} needs an ordinal task; categories and pairs have a majority"
    if rule == "mean" and task.round is None:
        return "data.raters.aggregate: mean gives fractions; set task.round: nearest or none"
    return None


def _pair_problem(task: TaskSettings, data: DataSettings, search: SearchSettings) -> str | None:
    """Return the problem of settings about pairs; None for usable settings."""
    two_texts = isinstance(data.text, tuple)
    if task.kind != "pairwise":
        text = "text" if two_texts else None
        name = next((n for n in (text, "question", "before") if n and getattr(data, n)), None)
        return name and f"data.{name}: {'two columns need' if name == 'text' else 'needs'} task.kind: pairwise"
    if len(data.columns_of_images) != (1 if two_texts else 2):
        return (
            "data: a pair needs two columns of images (image: [image_a, image_b]), or one image and two columns of"
            " texts (text: [text_a, text_b])"
        )
    if data.question is not None and not two_texts:
        return "data.question: belongs to two texts; a text about two images is data.text"
    return _apart_problem(data, search) if task.order == "apart" else None


def _apart_problem(data: DataSettings, search: SearchSettings) -> str | None:
    """Return the problem of settings that pairs can't have if each of the two is judged alone."""
    if name := next((name for name in ("reference", "before") if getattr(data, name)), None):
        return f"data.{name}: task.order: apart shows each of the two alone; use another order"
    if search.outer_rounds == 0:
        return None
    return "task.order: apart compares labels of single images, without a search; set search.outer_rounds: 0"


def _ranking_problem(task: TaskSettings, data: DataSettings, search: SearchSettings) -> str | None:
    """Return the problem of settings that a ranking needs or can't have; None for usable settings."""
    if task.kind != "ranking":
        return None
    if data.raters is not None:
        return "data.raters: a ranking has one rank or rating an image in data.label; average the raters first"
    if not isinstance(data.image, str):
        return "data.image: a ranking has one image a row; name one column"
    if task.parts is not None and search.outer_rounds:
        return f"task.order: {task.order} ranks without a search, for comparison; set search.outer_rounds: 0"
    return None if data.group else "data.group: is missing; name the column with the list of every image"


def _image_names_problem(task: TaskSettings, data: DataSettings) -> str | None:
    """Return the problem of `data.image_names`; None for usable names."""
    names, columns = data.image_names, data.columns_of_images
    if names is None:
        return None
    if task.kind in ("pairwise", "ranking"):
        return f"data.image_names: names several images with one label; task.kind: {task.kind} has own names"
    if data.path is None:
        return "data.image_names: the built-in sample has one image a row; give data.path"
    if len(names) == 1 or (names and len(columns) not in (1, len(names))):
        return f"data.image_names: names {len(names)} of {len(columns)} images; give every image a name"
    return None
