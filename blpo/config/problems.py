"""What is wrong with a configuration, in lines that name the setting and say what to do."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from state.settings import Settings

_SECRET = re.compile(r"api_?key|secret|passw|credential", re.IGNORECASE)
_HOW_PYDANTIC_FAILED = re.compile(", unable to (parse string as an? (integer|number)|interpret input)$")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    key: str
    """The setting's full name, such as `search.seed`; empty where the text names it."""
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


def problems(error: ValidationError, model: type[BaseModel] = Settings) -> list[Problem]:
    """Return the problems of settings of `model` that pydantic refused, one for each setting, in its order."""
    known = _known(model)
    located = [(*_locate(detail, known), detail) for detail in error.errors(include_url=False)]
    chosen = _likeliest_members((union, detail) for _, union, detail in located if union)
    texts: dict[str, list[str]] = {}
    given: dict[str, str] = {}
    for key, union, detail in located:
        if union is None or union in chosen:
            texts.setdefault(key, []).append(_text(key, detail, known))
            given[key] = _given(detail)
    return [Problem(key, " or ".join(dict.fromkeys(found)) + given[key]) for key, found in texts.items()]


Member = tuple[str, str]
"""A setting that may be one of several things, and which of them pydantic tried."""


def _locate(detail: ErrorDetails, known: Sequence[str]) -> tuple[str, Member | None]:
    """Split pydantic's location into the setting's name and the member of a union that it goes through, if any."""
    path: list[str] = []
    union = None
    for place, part in enumerate(detail["loc"], start=1):
        part = part if isinstance(part, int) else " ".join(part.split())[:_LONGEST]
        name = ".".join([*path, str(part)])
        given = place == len(detail["loc"]) and detail["type"] in ("extra_forbidden", "invalid_key")
        if given or isinstance(part, int) or _without_places(name) in known:
            path.append(str(part))
        else:
            union = (".".join(path), str(part))
    return ".".join(path), union


def _likeliest_members(failed: Iterable[tuple[Member, ErrorDetails]]) -> set[Member]:
    """For each setting the members that fit what was given best: with the fewest keys unknown or missing."""
    ranks: dict[Member, Counter[str]] = {}
    for union, detail in failed:
        ranks.setdefault(union, Counter())[detail["type"]] += 1

    def rank(union: Member) -> tuple[int, int, int]:
        types = ranks[union]
        return types["extra_forbidden"] + types["missing"], types["extra_forbidden"], types.total()

    return {union for union in ranks if rank(union) == min(rank(other) for other in ranks if other[0] == union[0])}


def _text(key: str, detail: ErrorDetails, known: Sequence[str]) -> str:
    match detail["type"]:
        case "extra_forbidden" | "invalid_key":
            return _unknown(_without_places(key), known)
        case "missing":
            return "must be given"
        case "model_type" | "model_attributes_type":
            return "must hold settings, one `name: value` a line"
        case "string_type" if isinstance(detail["input"], bool | int | float):
            return "must be text, so write it in quotes"
    told = _HOW_PYDANTIC_FAILED.sub("", detail["msg"])
    return told.removeprefix("Value error, ").replace("Input should be", "must be")


def _given(detail: ErrorDetails) -> str:
    """What was given, for the end of a line; nothing of keys that are unknown: it may be a secret."""
    given = detail["input"]
    if detail["type"] in ("extra_forbidden", "invalid_key", "missing") or isinstance(given, Mapping | BaseModel):
        return ""
    text = json.dumps(given, ensure_ascii=False, default=str)
    return f" (got {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'})"


def _without_places(key: str) -> str:
    """`datasets.0.name` as `datasets.name`: what is known of one member of a list is known of all."""
    return ".".join(part for part in key.split(".") if not part.isdigit())


def _unknown(key: str, known: Sequence[str]) -> str:
    section, _, last = key.rpartition(".")
    if _SECRET.search(last):
        return "unknown; secrets are read from the environment alone, so take it out"
    here = [name for name in known if name.rpartition(".")[0] == section]
    near = _nearest(last, here) or _nearest(last, known)
    if near:
        return f"unknown; did you mean {' or '.join(near)}?"
    return f"unknown; known here: {', '.join(name.rpartition('.')[2] for name in here)}"


def _nearest(last: str, names: Sequence[str]) -> list[str]:
    """Up to three of `names` whose last part is nearest to `last`; none where nothing is near."""
    closest = get_close_matches(last, {name.rpartition(".")[2] for name in names}, n=1, cutoff=0.7)
    return [name for name in names if name.rpartition(".")[2] in closest][:3]


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(field.annotation):
            yield from _names(inner, f"{prefix}{name}.")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


@cache
def _known(model: type[BaseModel]) -> tuple[str, ...]:
    """The full names of all settings and sections."""
    return tuple(dict.fromkeys(_names(model)))
