"""p_0 and q_0: the prompts at the start of the search."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path

from blpo.inference.consult import too_long
from blpo.prompts.cases import labels_in_words, words_of_scale
from blpo.prompts.parts import join_parts
from blpo.prompts.template import render, template
from state.errors import ConfigError
from state.settings import PromptSettings, Settings, TaskSettings

_PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}")
_MOST_READ = 1_000_000
"""Characters to read from a prompt file; a prompt of allowed length is far shorter."""


def initial_prompts(settings: Settings) -> tuple[str, str]:
    """Return (p_0, q_0): from the settings or from files, else the defaults for the task.

    Raises `ConfigError` for a file with an unreadable or empty text, a text longer than `search.max_prompt_tokens`, or
    a placeholder.
    """
    return _of_tasks(settings) if settings.task_names else _of_task(settings)


def _of_task(settings: Settings) -> tuple[str, str]:
    data, task = settings.data, settings.task.parts or settings.task
    shape = {"pairwise": "_pairwise_texts" if isinstance(data.text, tuple) else "_pairwise", "ranking": "_ranking"}
    own_shape = shape.get(task.kind, "_images" if data.has_several_images else "")
    return _initial_prompts(settings.prompts, task, settings.search.max_prompt_tokens, own_shape)


@lru_cache(maxsize=16)
def _of_tasks(settings: Settings) -> tuple[str, str]:
    """Return p_0 with a part for each task, and q_0 of the first task. Prompts of the settings are for all tasks."""
    own = {name: _of_task(settings.of_task(name)) for name in settings.task_names}
    first = next(iter(own.values()))
    prompts = settings.prompts
    if prompts.judge is not None or prompts.judge_file is not None:
        return first
    parts = {entry.name: entry.judge or own[entry.name][0] for entry in settings.entries}
    text = join_parts(template("default_judge_tasks"), parts)
    if problem := too_long(text, settings.search.max_prompt_tokens):
        raise ConfigError(f"prompts.judge: the default for {len(own)} tasks: {problem} (search.max_prompt_tokens)")
    return text, first[1]


@lru_cache(maxsize=16)
def _initial_prompts(prompts: PromptSettings, task: TaskSettings, max_tokens: int, shape: str) -> tuple[str, str]:
    """Return the prompts; `shape` ends the names of default prompts for samples of several images or texts."""
    has_label = shape in ("", "_images") or task.order == "apart"
    words = {"image": "images", "it": "them"} if shape == "_images" else {"image": "image", "it": "it"}
    own_judge, listed_judge = partial(_default_judge_prompt, task, words), partial(template, f"default_judge{shape}")
    default_judge = own_judge if has_label else listed_judge
    judge = _prompt("judge", prompts.judge, prompts.judge_file, default_judge, max_tokens)
    return judge, _prompt("i2t", prompts.i2t, prompts.i2t_file, partial(template, f"default_i2t{shape}"), max_tokens)


def _prompt(name: str, setting: str | None, path: str | None, default: Callable[[], str], max_tokens: int) -> str:
    if setting is not None:
        text, source = setting, f"prompts.{name}"
    elif path is not None:
        source = f"prompts.{name}_file: {path}"
        text = _from_file(source, path)
    else:
        text, source = default(), f"prompts.{name}: the default"
    if problem := too_long(text.strip(), max_tokens):
        raise ConfigError(f"{source}: {problem} (search.max_prompt_tokens); shorten it, or raise that setting")
    if problem := _placeholder_problem(text):
        raise ConfigError(f"{source}: {problem}")
    return text.strip()


def prompt_problem(text: str, max_tokens: int) -> str | None:
    """Return the problem of a person's prompt: empty, too long, or with a placeholder."""
    return "it is empty" if not text.strip() else _placeholder_problem(text) or too_long(text, max_tokens)


def _placeholder_problem(text: str) -> str | None:
    placeholder = _PLACEHOLDER.search(text)
    return f"it holds the placeholder {placeholder[0]}; write out what it stands for" if placeholder else None


def _default_judge_prompt(task: TaskSettings, words: Mapping[str, str]) -> str:
    """Return the default prompt to label one image or several images, as `words` has it."""
    task = task.answer_scale
    if task.scale:
        return render("default_judge_words", words=words_of_scale(task), **words)
    if task.kind == "ordinal":
        return render("default_judge_ordinal", min=str(task.min), max=str(task.max), **words)
    return render("default_judge_categorical", labels=labels_in_words(task), **words)


def _from_file(source: str, path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(_MOST_READ)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if not text.strip():
        raise ConfigError(f"{source} is empty; write the prompt into it")
    return text
