"""p_0 and q_0: what the search starts from."""

from functools import lru_cache
from pathlib import Path

from prompts.cases import labels_in_words
from prompts.template import render, template
from state.errors import ConfigError
from state.settings import PromptSettings, Settings, TaskSettings


def initial_prompts(settings: Settings) -> tuple[str, str]:
    """(p_0, q_0): as given in the settings or their files, else the defaults for the task."""
    return _initial_prompts(settings.prompts, settings.task)


@lru_cache(maxsize=16)
def _initial_prompts(prompts: PromptSettings, task: TaskSettings) -> tuple[str, str]:
    judge = prompts.judge or _from_file("prompts.judge_file", prompts.judge_file) or _default_judge_prompt(task)
    i2t = prompts.i2t or _from_file("prompts.i2t_file", prompts.i2t_file) or template("default_i2t")
    return judge.strip(), i2t.strip()


def _default_judge_prompt(task: TaskSettings) -> str:
    if task.kind == "ordinal":
        return render("default_judge_ordinal", min=str(task.min), max=str(task.max))
    return render("default_judge_categorical", labels=labels_in_words(task))


def _from_file(setting: str, path: str | None) -> str | None:
    if path is None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting}: can't read {path}: {error}") from None
    if not text:
        raise ConfigError(f"{setting}: {path} is empty; write the prompt into it")
    return text
