"""All settings of a run: the context of the graph."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator

from state.settings.data_settings import DataSettings, FurtherColumn
from state.settings.entry_problems import checklist_problem, entries_data_problem, entries_problem
from state.settings.metric_names import ABOVE_CHANCE
from state.settings.models_settings import ModelsSettings, counted_role
from state.settings.prompt_settings import PromptSettings
from state.settings.run_settings import LimitSettings, RunSettings
from state.settings.search_settings import (
    MOST_TASKS_IN_BATCH,
    SERVED_OPTIMIZER,
    SearchSettings,
)
from state.settings.section import Section
from state.settings.task_entries import MOST_TASKS, CriterionEntry, TaskEntry, TaskName, with_common_fields
from state.settings.task_problems import task_problem
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
        panel, asks_once = self.models.panel, bool(self.criteria) and self.criteria_calls == "one"
        if panel and (problem := panel.problem(None if self.task_names else self.task, asks_once=asks_once)):
            raise ValueError(problem)
        if self.task_names:
            if self.search.metric != ABOVE_CHANCE:
                raise ValueError(f"search.metric: is {ABOVE_CHANCE} for several tasks; a task has its own `metric`")
            for name in self.task_names:
                self.of_task(name)  # raises for unusable settings of a task
            return self
        if problem := task_problem(self.task, self.data, self.prompts, self.search):
            raise ValueError(problem)
        return self

    def _tasks_problem(self) -> str | None:
        """Return the problem of several tasks; None for usable settings, also for a single task."""
        is_checklist = self.criteria_aggregate is not None
        if problem := entries_problem(self.tasks, self.criteria, self.only, is_checklist=is_checklist):
            return problem
        if not self.tasks and not self.criteria:
            return "prompts.parts: needs tasks or criteria" if self.prompts.parts != "one" else None
        if self.tasks and (section := next((name for name in ("task", "data") if name in self.model_fields_set), None)):
            return f"{section}: each of tasks has its own; take the section out"
        if is_checklist and (problem := checklist_problem(self.criteria)):
            return problem
        return entries_data_problem(self.tasks, self.criteria, self.data)

    def _resolve_search(self) -> None:
        """Set the defaults of `search` that depend on the task and on the optimizer, without marking them as set."""
        search, defaults = self.search, dict[str, Any]()
        default_metric = ABOVE_CHANCE if self.task_names else _DEFAULT_METRICS.get(self.task.kind)
        if default_metric is not None and "metric" not in search.model_fields_set:
            defaults["metric"] = default_metric
        if not self.models.of("optimizer").name.startswith("embedded:"):
            defaults |= {name: value for name, value in SERVED_OPTIMIZER.items() if name not in search.model_fields_set}
        if "error_batch" not in search.model_fields_set and self.task_names:
            cases = defaults.get("error_batch", search.error_batch)
            defaults["error_batch"] = cases * min(len(self.task_names), MOST_TASKS_IN_BATCH)
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
