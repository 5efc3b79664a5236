"""Tasks that name a configuration of their own: `tasks: [{name: safety, config: safety.yaml}]`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from blpo.config.setting_paths import absolute_paths
from state.errors import ConfigError

_OF_A_TASK = ("task", "data")


def with_task_files(sections: dict[str, Any], base: Path, reader: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Return `sections` with the task, the data, the metric and the first prompt of each task's file written out.

    A relative path begins at `base`; paths in a task's file begin at the file's folder. What the entry itself says
    holds. Models, search and limits are those of the whole run. `reader` returns the sections of a file. Raises
    `ConfigError` for a file that can't be read.
    """
    tasks = sections.get("tasks")
    if not isinstance(tasks, list):
        return sections
    return {**sections, "tasks": [_with_file(entry, place, base, reader) for place, entry in enumerate(tasks)]}


def _with_file(entry: Any, place: int, base: Path, reader: Callable[[Path], dict[str, Any]]) -> Any:
    if not isinstance(entry, Mapping) or "config" not in entry:
        return entry
    name = entry["config"]
    if not isinstance(name, str) or not name:
        raise ConfigError(f"tasks.{place}.config: must be the path of a configuration")
    file = base / Path(name).expanduser()
    if not file.is_file():
        raise ConfigError(f"tasks.{place}.config: {file} is no file")
    own = absolute_paths(reader(file), file.parent)
    if own.get("tasks") or own.get("criteria"):
        raise ConfigError(f"tasks.{place}.config: {file} has several tasks itself; name configurations of one task")
    fields = {section: own[section] for section in _OF_A_TASK if section in own}
    for section, key, field in (("search", "metric", "metric"), ("prompts", "judge", "judge")):
        if isinstance(own.get(section), Mapping) and own[section].get(key) is not None:
            fields[field] = own[section][key]
    prompt_file = (own.get("prompts") or {}).get("judge_file")
    if prompt_file is not None:
        fields["judge"] = _text(prompt_file, place)
    return {**fields, **{key: value for key, value in entry.items() if key != "config"}}


def _text(path: str, place: int) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"tasks.{place}.config: {path} can't be read: {reason}") from None
