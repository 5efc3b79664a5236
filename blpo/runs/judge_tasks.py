"""Tasks in a judge.yaml of several tasks or criteria, and the settings that judge by them."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from state.metrics import Metrics
from state.metrics_on_test import TestMetrics
from state.settings import (
    CriterionEntry,
    DataSettings,
    FurtherColumn,
    LimitSettings,
    ModelsSettings,
    PromptSettings,
    SearchSettings,
    Settings,
    TaskEntry,
    TaskSettings,
)


class JudgeTask(BaseModel):
    """One of several tasks of a judge."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    about: str | None = None
    """What the task decides; the judge is told."""
    task: TaskSettings
    label: str | None = None
    """Column of the labels of a criterion; None for a task with data of its own."""
    images: int | None = None
    """Most images of a sample that are labelled together."""
    image_names: tuple[str, ...] | None = None
    """Names of several images with one label."""
    further_columns: tuple[FurtherColumn, ...] | None = None
    """Columns beside images and text that the judge sees."""
    weight: float = 1.0
    """Weight of a criterion in the aggregate of a checklist."""
    validation: dict[str, float | None] = {}
    """Metric of the task, `n` and `coverage` on the validation split, for the record."""
    test: dict[str, Any] | None = None
    """Metric of the task under both prompts, `n`, `coverage`, `p_value` and `difference_ci95`; None without a test."""

    @property
    def entry(self) -> TaskEntry:
        """The task as the judge is told about it."""
        return TaskEntry.model_construct(name=self.name, about=self.about, task=self.task, data=DataSettings())

    def dump(self) -> dict[str, Any]:
        """Return plain values, without fields that say nothing."""
        content = self.model_dump(mode="json")
        optional = ("about", "label", "image_names", "further_columns")
        absent = {name for name in optional if content[name] is None} | ({"weight"} if self.weight == 1 else set())
        return {name: value for name, value in content.items() if name not in absent}


def task_figures(metrics: Metrics | None, name: str) -> dict[str, float | None]:
    """Return the metric of a task with failures as wrong, `n` and `coverage`; empty without metrics."""
    reading = ({} if metrics is None else metrics.get("by_task", {})).get(name)
    if reading is None:
        return {}
    return {reading["metric"]: _rounded(reading["value"]), "n": reading["n"], "coverage": reading["coverage"]}


def task_test_figures(test: TestMetrics, name: str) -> dict[str, Any] | None:
    """Return the metric of a task under both prompts, with the paired test; None for a task without a test."""
    own = test.get("by_task", {}).get(name)
    if own is None:
        return None
    return {
        "initial": {own["metric"]: _rounded(own["initial"])},
        "best": {own["metric"]: _rounded(own["best"])},
        **{field: own[field] for field in ("n", "coverage", "p_value", "difference_ci95")},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 12)


class JudgingSettings(Settings):
    """Settings to judge new images for several tasks, without a dataset."""

    judged_tasks: tuple[TaskEntry, ...] = ()

    @classmethod
    def of(
        cls,
        entries: tuple[TaskEntry, ...],
        criteria_calls: Literal["one", "each"] | None,
        models: ModelsSettings,
        prompts: PromptSettings,
        seed: int | None,
    ) -> "JudgingSettings":
        """Return the settings of a judge; `criteria_calls` is None for tasks with data of their own."""
        criteria = () if criteria_calls is None else entries
        return cls.model_construct(
            judged_tasks=entries,
            tasks=() if criteria else entries,
            criteria=tuple(CriterionEntry.model_construct(name=entry.name) for entry in criteria),
            criteria_calls=criteria_calls or "one",
            models=models,
            prompts=prompts,
            limits=LimitSettings(max_failure_rate=1.0),
            search=SearchSettings(seed=seed or 0),
        )

    @property
    def entries(self) -> tuple[TaskEntry, ...]:
        """All tasks of the judge."""
        return self.judged_tasks

    def of_task(self, name: str) -> Settings:
        """Return the settings of a single task."""
        sections: Mapping[str, Any] = {key: getattr(self, key) for key in ("models", "prompts", "limits", "search")}
        return Settings.model_construct(task=self.entry_of(name).task, **sections)
