"""Trainers that an export is for: their stages, their data and their configuration."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from blpo.training.easyr1_files import CONFIG as EASYR1
from blpo.training.easyr1_files import easyr1_data, easyr1_settings
from blpo.training.examples import TrainingExample
from blpo.training.llamafactory_files import CONFIG as LLAMAFACTORY
from blpo.training.llamafactory_files import LlamaFactoryFiles, dataset_info, llamafactory_settings
from blpo.training.recipe import Recipe, Stage
from blpo.training.trl_files import CONFIG as TRL
from blpo.training.trl_files import trl_data, trl_settings
from state.errors import ConfigError

FrameworkName = Literal["trl", "llamafactory", "easyr1"]


class DataFile(Protocol):
    """Open data of an export."""

    def add(self, example: TrainingExample) -> None:
        """Write an example."""
        ...


@dataclass(frozen=True, slots=True)
class Framework:
    """A trainer."""

    title: str
    stages: tuple[Stage, ...]
    config: str
    """Name of the trainer's own configuration."""
    data: Callable[[Path, Stage], AbstractContextManager[DataFile]]
    """Opens the data in a folder."""
    settings: Callable[[Recipe, int, int], dict[str, Any]]
    """Content of the configuration: of a recipe, the number of examples, and the most images of a message."""
    further: Callable[[Stage], dict[str, str]] = lambda stage: {}
    """Further files by name."""

    def require(self, stage: Stage) -> None:
        """Raise `ConfigError` for a stage that the trainer lacks."""
        if stage not in self.stages:
            others = ", ".join(name for name, each in FRAMEWORKS.items() if stage in each.stages)
            raise ConfigError(
                f"--stage {stage}: {self.title} has {' and '.join(self.stages)} alone; use --for {others}"
            )


FRAMEWORKS: dict[FrameworkName, Framework] = {
    "trl": Framework("TRL", ("sft", "grpo", "dpo"), TRL, trl_data, trl_settings),
    "llamafactory": Framework(
        "LLaMA-Factory", ("sft", "dpo"), LLAMAFACTORY, LlamaFactoryFiles, llamafactory_settings, dataset_info
    ),
    "easyr1": Framework("EasyR1", ("grpo",), EASYR1, easyr1_data, easyr1_settings),
}
