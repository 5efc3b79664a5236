"""judge.yaml: the judge of a run with all settings to judge new images."""

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
    """Content of judge.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    judge_prompt: PromptText
    """The selected prompt. The frame with the answer's format is added at judging."""
    task: TaskSettings
    model: ModelSettings
    """Model and `part_order` of the optimization. A different model or order changes verdicts and needs a new
    validation."""
    validation: dict[str, float] = {}
    """Agreement with people on the validation split, for the record."""

    @property
    def settings(self) -> Settings:
        """Settings for judging with the judge, without a dataset."""
        return Settings.model_construct(
            task=self.task,
            models=ModelsSettings.model_construct(judge=self.model, verbalizer=None, optimizer=None),
            prompts=PromptSettings(judge=self.judge_prompt),
            limits=LimitSettings(max_failure_rate=1.0),
        )

    def dump(self) -> str:
        """Return the file's YAML, with the prompt as readable text."""
        return write_yaml(self.model_dump(mode="json"))


def read_judge_file(path: Path) -> JudgeFile:
    """Read a judge.yaml, or the judge.yaml of a run directory; raises `ConfigError` with the file and the problem."""
    if path.is_dir():
        path = path / "judge.yaml"
    if not path.exists():
        raise ConfigError(f"{path} does not exist; give the judge.yaml of a run directory")
    try:
        return JudgeFile.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole file"
        raise ConfigError(f"{path} is no judge file: {field}: {first['msg']}") from None
