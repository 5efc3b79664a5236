"""Short text of a task: `safe,unsafe` (categories), `1-5` (a scale), `a,b` or `a,b,tie` (pairs), `ranking lowest`."""

import re
from collections.abc import Mapping
from typing import Literal

from blpo.config.settings_file import load_settings
from state.errors import DataError
from state.settings import TaskSettings

_RANGE = re.compile(r"\s*([+-]?\d+)\s*(?:-|\.\.|to|\s)\s*([+-]?\d+)\s*", re.ASCII)


def task_of(text: str) -> TaskSettings:
    """Read a scale or categories; raises `DataError` or `ConfigError`."""
    return scale_of(text) if _RANGE.fullmatch(text) else categories_of(text)


def scale_of(text: str) -> TaskSettings:
    """Read the ends of a scale; raises `DataError` or `ConfigError`."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise DataError(f"{text!r} is no scale; write its ends, such as 1-5")
    return _valid({"kind": "ordinal", "min": int(match[1]), "max": int(match[2])})


def categories_of(text: str) -> TaskSettings:
    """Read categories with commas in between; raises `ConfigError`."""
    return _valid({"kind": "categorical", "labels": [name.strip() for name in text.split(",") if name.strip()]})


def pair_of(text: str) -> TaskSettings | None:
    """Read `a,b` or `a,b,tie` as the labels of pairs; None for another text."""
    names = {name.strip() for name in text.split(",")}
    return TaskSettings(kind="pairwise", ties="tie" in names) if names | {"tie"} == {"a", "b", "tie"} else None


def ranking_of(text: str) -> TaskSettings | None:
    """Read `ranking lowest` (ranks) or `ranking highest` (ratings); None for another text."""
    bests: tuple[Literal["lowest", "highest"], ...] = ("lowest", "highest")
    named = (best for best in bests if text.casefold().split() == ["ranking", best])
    return next((TaskSettings(kind="ranking", best=best) for best in named), None)


def task_text(task: TaskSettings) -> str:
    """Return the short text of a task, for `task_of`, `pair_of` or `ranking_of` to read."""
    if task.kind == "ranking":
        return f"ranking {task.best}"
    return f"{task.min}-{task.max}" if task.kind == "ordinal" else ",".join(map(str, task.values))


def _valid(task: Mapping[str, object]) -> TaskSettings:
    return load_settings({"task": task, "data": {"path": "."}}).task
