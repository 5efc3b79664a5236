"""Tasks of a run that judges by several labels: sections `tasks` and `criteria`."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from state.settings.data_settings import DataSettings
from state.settings.metric_names import Metric
from state.settings.prompt_settings import PromptText
from state.settings.section import Section
from state.settings.task_settings import TaskSettings

MOST_TASKS = 50
"""Most tasks or criteria of a run."""
_KEYS = ("label", "reason")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}")


def _task_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ValueError("must be letters, digits, blanks, - or _, at most 40, and begin with a letter or a digit")
    if name.casefold() in _KEYS:
        raise ValueError(f"{name} is a key of the judge's answer; choose another name")
    return name


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be a sentence on one line")
    return text.strip()


TaskName = Annotated[str, AfterValidator(_task_name)]
"""Name of a task: in messages to models, in ids, and in results."""
About = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
"""A sentence on what a task decides, such as `whether the image is safe to show`."""


class TaskEntry(Section):
    """One of several tasks under one judge prompt, with its own labels and data."""

    name: TaskName
    about: About | None = None
    """What the task decides, in a sentence; the judge and the optimizer are told."""
    task: TaskSettings = TaskSettings()
    data: DataSettings = DataSettings()
    metric: Metric | None = None
    """Metric of this task; null: the default for its labels."""
    judge: PromptText | None = None
    """Part of p_0 for this task; null: the default for its labels."""


class CriterionEntry(TaskSettings):
    """One of several criteria of the same images, with the fields of the section `task`.

    Without `kind` a criterion takes the fields that it lacks from the run's section `task`.
    """

    name: TaskName
    about: About | None = None
    """What the criterion is, in a sentence; the judge and the optimizer are told."""
    label: str | None = None
    """Column of the label; null: the column with the criterion's name."""
    metric: Metric | None = None
    """Metric of this criterion; null: the default for its labels."""
    judge: PromptText | None = None
    """Part of p_0 for this criterion; null: the default for its labels."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of the criterion in `criteria_aggregate: share`."""

    def entry(self, data: DataSettings) -> TaskEntry:
        """Return the criterion as a task over `data`."""
        fields = {name: getattr(self, name) for name in self.model_fields_set & TaskSettings.model_fields.keys()}
        labelled = data.model_copy(update={"label": self.label or self.name})
        return TaskEntry(
            name=self.name,
            about=self.about,
            task=TaskSettings(**fields),
            data=labelled,
            metric=self.metric,
            judge=self.judge,
        )


def with_common_fields(criteria: object, task: object) -> object:
    """Return raw criteria, each with the fields of the raw section `task` that it lacks."""
    common = task.model_dump(mode="json", exclude_unset=True) if isinstance(task, TaskSettings) else task
    if not isinstance(criteria, list | tuple) or not isinstance(common, dict):
        return criteria
    return [{**common, **raw} if isinstance(raw, dict) and "kind" not in raw else raw for raw in criteria]
