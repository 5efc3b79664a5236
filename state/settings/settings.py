"""All settings of a run: the context of the graph."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator

from state.settings.data_settings import DataSettings, FurtherColumn
from state.settings.metric_names import ABOVE_CHANCE, metric_problem
from state.settings.models_settings import ModelsSettings, counted_role
from state.settings.prompt_settings import PromptSettings
from state.settings.run_settings import LimitSettings, RunSettings
from state.settings.search_settings import MOST_TASKS_IN_BATCH, SERVED_OPTIMIZER_BATCH, SearchSettings
from state.settings.section import Section
from state.settings.task_entries import MOST_TASKS, CriterionEntry, TaskEntry, TaskName, with_common_fields
from state.settings.task_settings import TaskSettings

_DEFAULT_METRICS = {"ordinal": "quadratic_kappa", "pairwise": "accuracy", "ranking": "kendall_tau_b"}
"""Default of search.metric by the kind of the task; for categories the section's own default."""


class Settings(Section):
    """All settings of a run. The defaults run the built-in sample with embedded models."""

    task: TaskSettings = TaskSettings()
    data: DataSettings = DataSettings()
    models: ModelsSettings = ModelsSettings()
    prompts: PromptSettings = PromptSettings()
    search: SearchSettings = SearchSettings()
    limits: LimitSettings = LimitSettings()
    run: RunSettings = RunSettings()
    approval: Literal["none", "judge", "all"] = "none"
    """New prompts that a person decides about: none, judge prompts, or all (judge and I2T prompts)."""
    tasks: Annotated[tuple[TaskEntry, ...], Field(max_length=MOST_TASKS)] = ()
    """Several tasks under one judge prompt, each with its own labels and data; in place of `task` and `data`."""
    criteria: Annotated[tuple[CriterionEntry, ...], Field(max_length=MOST_TASKS)] = ()
    """Several criteria of the images of `data`, each with its own column of labels."""
    criteria_calls: Literal["one", "each"] = "one"
    """Judge requests for an image with several criteria: one request for all, or one each."""
    only: Annotated[tuple[TaskName, ...], Field(max_length=MOST_TASKS)] = ()
    """Names of the tasks or criteria that the run learns, on the splits of all; empty: all of them."""
    criteria_aggregate: Literal["share"] | None = None
    """Checklist: the aggregate of an image's criteria, in results and lines. share: the weighted share of the criteria
    with their positive label. Each criterion then has two labels and `positive`."""

    @model_validator(mode="before")
    @classmethod
    def _with_common_fields(cls, sections: Any) -> Any:
        if not isinstance(sections, dict) or not sections.get("criteria"):
            return sections
        return {**sections, "criteria": with_common_fields(sections["criteria"], sections.get("task"))}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if problem := self._tasks_problem():
            raise ValueError(problem)
        self._resolve_search()
        if problem := self._panel_problem():
            raise ValueError(problem)
        if self.task_names:
            if self.search.metric != ABOVE_CHANCE:
                raise ValueError(f"search.metric: is {ABOVE_CHANCE} for several tasks; a task has its own `metric`")
            for name in self.task_names:
                self.of_task(name)  # raises for unusable settings of a task
            return self
        if problem := metric_problem(self.search.metric, self.task):
            raise ValueError(f"search.metric: {problem}")
        if self.data.path is None and (self.task.kind, self.task.min, self.task.max) != ("ordinal", 1, 5):
            raise ValueError("data.path: the built-in sample is rated 1 to 5; give data.path for another task")
        if self.data.threshold is not None and len(self.task.values) != 2:
            raise ValueError("data.threshold: cuts labels in two, so the task must have exactly two labels")
        shapes = (
            self._reference_problem,
            self._examples_problem,
            self._rater_problem,
            self._pair_problem,
            self._ranking_problem,
            self._image_names_problem,
        )
        for problem in filter(None, (check() for check in shapes)):
            raise ValueError(problem)
        return self

    def _tasks_problem(self) -> str | None:
        """Return the problem of several tasks; None for usable settings, also for a single task."""
        names, given = [entry.name for entry in self.tasks or self.criteria], self.model_fields_set
        if foreign := [name for name in self.only if name not in names]:
            there = f"the names are {', '.join(names)}" if names else "there are no tasks and no criteria"
            return f"only: {foreign[0]} is no task of the run; {there}"
        if self.criteria_aggregate and not self.criteria:
            return "criteria_aggregate: needs criteria"
        if not names:
            return "prompts.parts: needs tasks or criteria" if self.prompts.parts != "one" else None
        if self.tasks and self.criteria:
            return "criteria: belongs to one dataset, tasks to several; give one of the two"
        if len({name.casefold() for name in names}) < len(names):
            return f"{'tasks' if self.tasks else 'criteria'}: two have the same name; give each its own"
        if self.tasks and (section := next((name for name in ("task", "data") if name in given), None)):
            return f"{section}: each of tasks has its own; take the section out"
        if self.criteria_aggregate and any(len(each.labels) != 2 or not each.positive for each in self.criteria):
            return (
                "criteria_aggregate: needs criteria with two labels and positive, as {labels: [no, yes], positive: yes}"
            )
        return self._data_of_tasks_problem()

    def _data_of_tasks_problem(self) -> str | None:
        """Return the problem of data settings that several tasks can't have; None for usable settings."""
        if self.criteria and self.data.path is None:
            return "criteria: the built-in sample has one label an image; give data.path"
        if self.criteria and self.data.raters is not None:
            return "data.raters: are ratings of one label; with criteria, give a column of labels for each criterion"
        if self.data.corrections is not None or any(task.data.corrections is not None for task in self.tasks):
            return "data.corrections: are of a run of one task; write the corrected labels into the labels files"
        return None

    def _panel_problem(self) -> str | None:
        """Return the problem of a panel's rule; None for a usable rule, and for one judge."""
        rule = self.models.panel.rule if self.models.panel else None
        if self.models.panel and self.models.panel.discussion and self.criteria and self.criteria_calls == "one":
            return "models.panel.discussion: is about one label at a time; set criteria_calls: each"
        if rule == "weighted" and (self.task_names or self.task.kind == "ranking"):
            return "models.panel.rule: weighted needs a single task with labels; use majority, or mean for ratings"
        if rule == "mean" and not self.task_names and self.task.kind not in ("ordinal", "ranking"):
            return f"models.panel.rule: mean is of ratings, not of task.kind: {self.task.kind}; use majority"
        return None

    def _pair_problem(self) -> str | None:
        """Return the problem of settings about pairs; None for usable settings."""
        data, two_texts = self.data, isinstance(self.data.text, tuple)
        if self.task.kind != "pairwise":
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
        return self._apart_problem() if self.task.order == "apart" else None

    def _apart_problem(self) -> str | None:
        """Return the problem of settings that pairs can't have if each of the two is judged alone."""
        if name := next((name for name in ("reference", "before") if getattr(self.data, name)), None):
            return f"data.{name}: task.order: apart shows each of the two alone; use another order"
        if self.search.outer_rounds == 0:
            return None
        return "task.order: apart compares labels of single images, without a search; set search.outer_rounds: 0"

    def _reference_problem(self) -> str | None:
        """Return the problem of settings about a reference; None for usable settings."""
        data = self.data
        name = next((name for name in ("reference", "reference_text") if getattr(data, name)), None)
        if name is not None and data.path is None:
            return f"data.{name}: the built-in sample has no such column; give data.path"
        if name is None and self.prompts.reference != "both":
            return "prompts.reference: needs data.reference or data.reference_text"
        return None

    def _examples_problem(self) -> str | None:
        """Return the problem of settings about examples; None for usable settings."""
        if not self.prompts.examples:
            return None
        if self.task.kind not in ("ordinal", "categorical") or len(self.data.columns_of_images) > 1:
            return "prompts.examples: shows single images with one label; pairs, rankings and lists have no examples"
        if self.data.reference is not None or self.data.reference_text is not None:
            return "prompts.examples: shows images without a reference; take out data.reference and data.reference_text"
        return None

    def _ranking_problem(self) -> str | None:
        """Return the problem of settings that a ranking needs or can't have; None for usable settings."""
        if self.task.kind != "ranking":
            return None
        if self.data.raters is not None:
            return "data.raters: a ranking has one rank or rating an image in data.label; average the raters first"
        if not isinstance(self.data.image, str):
            return "data.image: a ranking has one image a row; name one column"
        if self.task.parts is not None and self.search.outer_rounds:
            return f"task.order: {self.task.order} ranks without a search, for comparison; set search.outer_rounds: 0"
        return None if self.data.group else "data.group: is missing; name the column with the list of every image"

    def _image_names_problem(self) -> str | None:
        """Return the problem of `data.image_names`; None for usable names."""
        names, columns = self.data.image_names, self.data.columns_of_images
        if names is None:
            return None
        if self.task.kind in ("pairwise", "ranking"):
            return f"data.image_names: names several images with one label; task.kind: {self.task.kind} has own names"
        if self.data.path is None:
            return "data.image_names: the built-in sample has one image a row; give data.path"
        if len(names) == 1 or (names and len(columns) not in (1, len(names))):
            return f"data.image_names: names {len(names)} of {len(columns)} images; give every image a name"
        return None

    def _rater_problem(self) -> str | None:
        """Return the problem of settings about raters and slices; None for usable settings."""
        raters = self.data.raters
        if self.data.path is None and (raters is not None or self.data.slices):
            return "data.raters and data.slices: the built-in sample has no such columns; give data.path"
        if raters is None:
            return None if self.search.agreement is None else "search.agreement: needs data.raters"
        rule = raters.rule(self.task)
        if self.task.kind != "ordinal" and rule != "majority":
            return f"data.raters.aggregate: {rule} needs an ordinal task; categories and pairs have a majority"
        if rule == "mean" and self.task.round is None:
            return "data.raters.aggregate: mean gives fractions; set task.round: nearest or none"
        return None

    def _resolve_search(self) -> None:
        """Set the defaults of `search` that depend on the task and on the optimizer, without marking them as set."""
        search, defaults = self.search, dict[str, Any]()
        default_metric = ABOVE_CHANCE if self.task_names else _DEFAULT_METRICS.get(self.task.kind)
        if default_metric is not None and "metric" not in search.model_fields_set:
            defaults["metric"] = default_metric
        is_embedded = self.models.of("optimizer").name.startswith("embedded:")
        if "error_batch" not in search.model_fields_set and (not is_embedded or self.task_names):
            cases = search.error_batch if is_embedded else SERVED_OPTIMIZER_BATCH
            defaults["error_batch"] = cases * min(max(len(self.task_names), 1), MOST_TASKS_IN_BATCH)
        if defaults:
            resolved = search.model_copy()
            vars(resolved).update(defaults)
            vars(self)["search"] = resolved

    @property
    def entries(self) -> tuple[TaskEntry, ...]:
        """The tasks of a run with several tasks or criteria, those of `only` if named; empty for a single task."""
        entries = self.tasks or tuple(criterion.entry(self.data) for criterion in self.criteria)
        return tuple(entry for entry in entries if not self.only or entry.name in self.only)

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks or criteria, those of `only` if named; empty for a single task."""
        names = (entry.name for entry in self.tasks or self.criteria)
        return tuple(name for name in names if not self.only or name in self.only)

    def entry_of(self, name: str) -> TaskEntry:
        """Return one of several tasks or criteria."""
        return next(entry for entry in self.entries if entry.name == name)

    def of_task(self, name: str) -> "Settings":
        """Return the settings of a single task of the run; the settings themselves for the name "" of a single task.

        Raises `ValueError` for unusable settings of the task.
        """
        return _of_task(self, name) if name else self

    @property
    def dataset_key(self) -> tuple[object, ...]:
        """Hashable settings that tell one dataset from another."""
        return (self.data, self.task, self.tasks, self.criteria, self.only)

    @property
    def further_columns(self) -> tuple[FurtherColumn, ...] | None:
        """Columns beside images and text that the judge sees; None if the data has no such columns."""
        columns = [name for name in get_args(FurtherColumn) if getattr(self.data, name) is not None]
        seen = [name for name in columns if name == "before" or self.prompts.reference in ("both", "judge")]
        return tuple(seen) if columns else None

    def images_of(self, role: str, most_images: int = 0) -> int:
        """Return the most images in a request of a judge or the verbalizer.

        `most_images` is the number of the dataset, where a column can't tell: for rankings, and for lists in cells.
        """
        role = counted_role(role)
        reference = self.data.reference is not None and self.prompts.reference in ("both", role)
        own = max(len(self.data.columns_of_images), most_images)
        if self.task.parts is not None:
            own = 2 if self.task.order == "pairs" else 1
        examples = self.prompts.examples if role == "judge" and self.prompts.examples_as == "images" else 0
        return own + reference + (self.data.before is not None) + examples

    @property
    def run_name(self) -> str:
        """Short name for the run's folder."""
        return Path(self.data.path).stem if self.data.path else "sample"


@lru_cache(maxsize=256)
def _of_task(settings: Settings, name: str) -> Settings:
    entry = settings.entry_of(name)
    fields = {key: value for key, value in settings.search.explicit.items() if key != "metric"}
    if entry.metric is not None:
        fields["metric"] = entry.metric
    sections = {key: getattr(settings, key) for key in ("models", "limits", "run", "approval")}
    prompts = settings.prompts.model_copy(update={"parts": "one"})
    try:
        return Settings(task=entry.task, data=entry.data, prompts=prompts, search=SearchSettings(**fields), **sections)
    except ValueError as error:
        raise ValueError(f"{name}: {_plain_message(error)}") from None


def _plain_message(error: ValueError) -> str:
    """Return the first message of a validation without pydantic's words."""
    if not isinstance(error, ValidationError):
        return str(error)
    return str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
