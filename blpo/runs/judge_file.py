"""judge.yaml: everything needed to judge new images as the run did."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from blpo.config.yaml_text import read_yaml, write_yaml
from state.errors import ConfigError
from state.settings import (
    LimitSettings,
    ModelSettings,
    ModelsSettings,
    PromptSettings,
    PromptText,
    Settings,
    TaskSettings,
)


class JudgeFile(BaseModel):
    """The deployable judge; `settings` makes it work again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    judge_prompt: PromptText
    """The text the run arrived at; the frame with the answer's format is added when judging."""
    task: TaskSettings
    model: ModelSettings
    """The judge the prompt was optimized for, with its `part_order`; another one, or another order, changes verdicts
    and needs validating again."""
    validation: dict[str, float] = {}
    """Agreement with people on the validation split, for the record."""

    @property
    def settings(self) -> Settings:
        """The settings of a session that judges with this judge and has no dataset."""
        return Settings.model_construct(
            task=self.task,
            models=ModelsSettings.model_construct(judge=self.model, verbalizer=None, optimizer=None),
            prompts=PromptSettings(judge=self.judge_prompt),
            limits=LimitSettings(max_failure_rate=1.0),
        )

    def dump(self) -> str:
        """As YAML, the prompt as readable text."""
        return write_yaml(self.model_dump(mode="json"))


def read_judge_file(path: Path) -> JudgeFile:
    """Read a judge.yaml, or that of a run directory; raises `ConfigError` naming the file and what is wrong."""
    if path.is_dir():
        path = path / "judge.yaml"
    if not path.exists():
        raise ConfigError(f"{path} does not exist; give the judge.yaml of a run directory")
    try:
        return JudgeFile.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise ConfigError(f"{path} is no judge file: {where}: {first['msg']}") from None
