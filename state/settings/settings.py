"""All settings of a run: the context of the graph."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from state.settings.data_settings import DataSettings
from state.settings.metric_names import metric_problem
from state.settings.model_settings import ModelsSettings
from state.settings.prompt_settings import PromptSettings
from state.settings.run_settings import LimitSettings, RunSettings
from state.settings.search_settings import SearchSettings
from state.settings.section import Section
from state.settings.task_settings import TaskSettings


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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if problem := metric_problem(self.search.metric, self.task):
            raise ValueError(f"search.metric: {problem}")
        if self.data.path is None and (self.task.kind, self.task.min, self.task.max) != ("ordinal", 1, 5):
            raise ValueError("data.path: the built-in sample is rated 1 to 5; give data.path for another task")
        if self.data.threshold is not None and len(self.task.values) != 2:
            raise ValueError("data.threshold: cuts labels in two, so the task must have exactly two labels")
        return self

    @property
    def run_name(self) -> str:
        """Short name for the run's folder."""
        return Path(self.data.path).stem if self.data.path else "sample"
