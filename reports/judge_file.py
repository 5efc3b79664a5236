"""judge.yaml: everything needed to judge new images as the run did."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from state.errors import ConfigError
from state.settings import LimitSettings, ModelSettings, ModelsSettings, PromptSettings, Settings, TaskSettings


class JudgeFile(BaseModel):
    """The deployable judge; `settings` makes it work again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    judge_prompt: str
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
        return yaml.dump(self.model_dump(mode="json"), Dumper=_ReadableDumper, sort_keys=False, allow_unicode=True)


def read_judge_file(path: Path) -> JudgeFile:
    """Read judge.yaml; raises `ConfigError` naming the file and what is wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return JudgeFile.model_validate(content)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; give the judge.yaml of a run directory") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise ConfigError(f"{path} is no judge file: {where}: {first['msg']}") from None


class _ReadableDumper(yaml.SafeDumper):
    pass


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_ReadableDumper.add_representer(str, _text)
