"""Problems of a configuration. The line of a problem names the setting and the remedy."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from state.errors import ConfigError
from state.settings import Settings

_SECRET = re.compile(r"api_?key|secret|passw|credential", re.IGNORECASE)
_PARSER_WORDS = re.compile(", unable to (parse string as an? (integer|number)|interpret input)$")
"""End of a message of pydantic about the parser, not about the setting."""
_LISTS = ("tasks.", "criteria.")
"""Sections whose members repeat the names of other sections."""
_MAX_LENGTH = 60
"""Characters of a name or a value in a line."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A setting to mend."""

    key: str
    """Full name of the setting, such as `search.seed`; empty where the text names the setting."""
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


def setting_problems(error: ValidationError, model: type[BaseModel] = Settings) -> list[SettingProblem]:
    """Return the problems found by pydantic in settings of `model`. Problems of one setting are joined in one line."""
    names = _setting_names(model)
    located = [(*_locate(detail, names), detail) for detail in error.errors(include_url=False)]
    members = _likeliest_members((member, detail) for _, member, detail in located if member)
    texts: dict[str, list[str]] = {}
    endings: dict[str, str] = {}
    for key, member, detail in located:
        if member is None or member in members:
            texts.setdefault(key, []).append(_text(key, detail, names))
            endings[key] = _value_text(detail)
    return [SettingProblem(key, " or ".join(dict.fromkeys(parts)) + endings[key]) for key, parts in texts.items()]


def config_error(
    problems: Sequence[SettingProblem], file: Path | None = None, overrides: Sequence[str] = ()
) -> ConfigError:
    """Return an error with a line for every problem. A line begins with the setting's origin: the file or `--set`.

    `overrides`: full names of the settings changed by `--set`.
    """

    def origin(key: str) -> str:
        if any(name == key or name.startswith(f"{key}.") or key.startswith(f"{name}.") for name in overrides):
            return "--set "
        return f"{file}: " if file else ""

    return ConfigError("\n".join(f"{origin(problem.key)}{problem}" for problem in problems))


Member = tuple[str, str]
"""A setting with a union as type, and a member of the union."""


def _locate(detail: ErrorDetails, names: Sequence[str]) -> tuple[str, Member | None]:
    """Split pydantic's location into the setting's name and the union's member on the way, if any."""
    path: list[str] = []
    member = None
    for place, part in enumerate(detail["loc"], start=1):
        part = part if isinstance(part, int) else " ".join(part.split())[:_MAX_LENGTH]
        name = ".".join([*path, str(part)])
        is_unknown = place == len(detail["loc"]) and detail["type"] in ("extra_forbidden", "invalid_key")
        if is_unknown or isinstance(part, int) or _without_places(name) in names:
            path.append(str(part))
        else:
            member = (".".join(path), str(part))
    return ".".join(path), member


def _likeliest_members(errors: Iterable[tuple[Member, ErrorDetails]]) -> set[Member]:
    """Return the best members for every setting: the members with the fewest keys unknown or missing."""
    ranks: dict[Member, Counter[str]] = {}
    for member, detail in errors:
        ranks.setdefault(member, Counter())[detail["type"]] += 1

    def rank(member: Member) -> tuple[int, int, int]:
        types = ranks[member]
        return types["extra_forbidden"] + types["missing"], types["extra_forbidden"], types.total()

    return {member for member in ranks if rank(member) == min(rank(rival) for rival in ranks if rival[0] == member[0])}


def _text(key: str, detail: ErrorDetails, names: Sequence[str]) -> str:
    match detail["type"]:
        case "extra_forbidden" | "invalid_key":
            return _unknown(_without_places(key), names)
        case "missing":
            return "must be given"
        case "model_type" | "model_attributes_type":
            return "must hold settings, one `name: value` a line"
        case "tuple_type":
            return "must be a list"
        case "string_type" if isinstance(detail["input"], bool | int | float):
            return "must be text, so write it in quotes"
    message = _PARSER_WORDS.sub("", detail["msg"])
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def _value_text(detail: ErrorDetails) -> str:
    """Return the value for the end of a line. The value of an unknown key may be a secret, and is left out."""
    value = detail["input"]
    if detail["type"] in ("extra_forbidden", "invalid_key", "missing") or isinstance(value, Mapping | BaseModel):
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f" (got {text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + '…'})"


def _without_places(key: str) -> str:
    """Return `datasets.0.name` as `datasets.name`: all members of a list have the same names."""
    return ".".join(part for part in key.split(".") if not part.isdigit())


def _unknown(key: str, names: Sequence[str]) -> str:
    section, _, last = key.rpartition(".")
    if _SECRET.search(last):
        return "unknown; secrets are read from the environment alone, so take it out"
    siblings = [name for name in names if name.rpartition(".")[0] == section]
    near = _nearest(last, siblings) or _nearest(last, [name for name in names if not name.startswith(_LISTS)])
    if near:
        return f"unknown; did you mean {' or '.join(near)}?"
    return f"unknown; known here: {', '.join(name.rpartition('.')[2] for name in siblings)}"


def _nearest(last: str, names: Sequence[str]) -> list[str]:
    """Return up to three of `names` with the last part nearest to `last`; none if no name is near."""
    closest = get_close_matches(last, {name.rpartition(".")[2] for name in names}, n=1, cutoff=0.7)
    return [name for name in names if name.rpartition(".")[2] in closest][:3]


@cache
def _setting_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the full names of all settings and sections."""
    return tuple(dict.fromkeys(_names(model)))


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(field.annotation):
            yield from _names(inner, f"{prefix}{name}.")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
