"""Settings from a YAML file, a mapping or nothing at all, with `key=value` overrides; and back to YAML.

Paths in a file are relative to the file, paths given otherwise to the working directory; all are made absolute.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from blpo.config.problems import Problem, problems
from blpo.config.yaml_text import MAX_BYTES, parse_yaml, read_yaml, write_yaml
from state.errors import ConfigError
from state.settings import POSTGRES, PRESETS, SearchSettings, Settings

_PATHS = (
    ("data", "path"),
    ("data", "corrections"),
    ("prompts", "judge_file"),
    ("prompts", "i2t_file"),
    ("run", "dir"),
    ("run", "checkpoints"),
)
_ADDRESS = re.compile(r"hub:|[a-z][a-z0-9+.-]+://", re.IGNORECASE)
DEFAULTS = Settings()
_DATABASE = re.compile(r"postgres(ql)?:|[^/]*://", re.IGNORECASE)
_ROLES = ("judge", "verbalizer", "optimizer")
_SECRET_PARAMETER = re.compile(r"(^|[?&])[^=&]*(key|token|secret|passw|sig)[^=&]*=", re.IGNORECASE)
_CHANGES_ANSWERS = {
    "name",
    "temperature",
    "max_tokens",
    "logprobs",
    "reasoning",
    "reasoning_effort",
    "max_pixels",
    "max_side",
    "structured_output",
    "part_order",
    "arguments",
}


def load_settings(
    source: str | Path | Mapping[str, Any] | Settings | None = None, overrides: Sequence[str] = ()
) -> Settings:
    """Return the settings of a YAML file, of a mapping, or the defaults (None: the built-in sample).

    A section without content means its defaults. `overrides` are `search.seed=3`: full names, values in YAML, nothing
    after `=` for null; the last one wins. An override may begin a section, which then starts from its defaults. Prompt
    files must exist; they are read later.
    Raises `ConfigError`, with one line for each problem, each naming the file and the setting.
    """
    file = Path(source) if isinstance(source, str | Path) else None
    given = absolute_paths(_given(source), file.absolute().parent if file else Path.cwd())
    for override in overrides:
        apply_override(given, override)
    changed = [override.partition("=")[0].strip() for override in overrides]
    try:
        settings = Settings.model_validate(absolute_paths(given, Path.cwd()))
    except ValidationError as error:
        raise _config_error(problems(error), file, changed) from None
    found = [*_secrets(settings), *_missing_files(settings)]
    if found:
        raise _config_error(found, file, changed)
    return settings


class Context(Settings):
    """The settings as the graphs' context: what LangGraph makes of a mapping, refused in words as a file's is."""

    def __init__(self, **given: Any) -> None:
        """Take settings by section; raises `ConfigError`."""
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise _config_error(problems(error), None, ()) from None


CONTEXT: type[Settings] = Context
"""For `context_schema`: nodes know it as `Settings`, which may be given as they are too."""


def absolute_paths(given: dict[str, Any], base: Path) -> dict[str, Any]:
    """Make the paths in these sections absolute, relative ones from `base`; returns `given`."""
    for section, name in _PATHS:
        inner = given.get(section)
        path = inner.get(name) if isinstance(inner, dict) else None
        named = name == "checkpoints" and isinstance(path, str) and (path == POSTGRES or _DATABASE.match(path))
        if isinstance(path, str) and path and not named and not _ADDRESS.match(path):
            given[section][name] = str(base / os.path.expanduser(path))
    return given


def apply_override(given: dict[str, Any], override: str, defaults: BaseModel = DEFAULTS) -> None:
    """Change `given` by one `key=value`; `defaults` has what a section holds that the override begins."""
    key, equals, text = override.partition("=")
    *sections, name = [part.strip() for part in key.split(".")]
    if not equals or not name:
        raise ConfigError(f"--set {override}: must be NAME=VALUE, for instance search.seed=3")
    section = given
    for depth, part in enumerate(sections, start=1):
        if section.get(part) is None:
            section[part] = _default_section(sections[:depth], defaults)
        section = section[part]
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override}: {'.'.join(sections[:depth])} holds no settings of its own")
    section[name] = parse_yaml(text, f"--set {key}")


def dump_settings(settings: Settings) -> str:
    """Return YAML that loads to equal settings, every value written out.

    Raises `ConfigError` if one is a secret, or all take more room than is read.
    """
    if found := _secrets(settings):
        raise _config_error(found, None, ())
    text = write_yaml(settings.model_dump(mode="json"))
    if len(text.encode()) > MAX_BYTES:
        room = f"{MAX_BYTES // 1024} KiB"
        raise ConfigError(f"the settings take more than {room} of YAML; shorten prompts, task.labels or arguments")
    return text


def config_hash(settings: Settings) -> str:
    """Return the SHA-256 (hex) of what determines the results.

    That is the task, how the data is read (not where it is: a run checks its dataset's fingerprint), the models with
    what changes their answers, the initial prompts (a file counts by its text) and the search; not the limits, nor
    where models and the run are.
    Raises `ConfigError` where a prompt file can't be read.
    """
    measured = measured_by(settings)
    relevant = {
        **{name: measured[name] for name in ("task", "data", "prompts")},
        "models": {role: _model(settings, role) for role in _ROLES},
        "search": settings.search.model_dump(mode="json", exclude={"preset"}),
    }
    return sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


def measured_by(settings: Settings) -> dict[str, Any]:
    """What decides how judge prompts are measured, by section, as plain values; where the data is does not.

    Raises `ConfigError` where a prompt file can't be read.
    """
    return {
        "task": settings.task.model_dump(mode="json"),
        "data": settings.data.model_dump(mode="json", exclude={"path", "corrections"}),
        "prompts": {name: _prompt(settings, name) for name in ("judge", "i2t")},
        "models.judge": _model(settings, "judge"),
    }


def _model(settings: Settings, role: str) -> dict[str, Any]:
    return settings.models.of(role).model_dump(mode="json", include=_CHANGES_ANSWERS)


def _given(source: str | Path | Mapping[str, Any] | Settings | None) -> dict[str, Any]:
    content = read_yaml(Path(source)) if isinstance(source, str | Path) else {} if source is None else source
    if content is None:
        raise ConfigError(
            f"{source} is empty; write settings into it, or give no configuration for the built-in sample"
        )
    if not isinstance(content, Mapping | Settings):
        what = source if isinstance(source, str | Path) else "the configuration"
        raise ConfigError(f"{what} holds no settings; it must be a mapping such as `search: {{seed: 0}}`")
    plain: dict[str, Any] = _plain(content)
    return {
        name: section for name, section in plain.items() if section is not None or name not in Settings.model_fields
    }


def _plain(value: Any) -> Any:
    """Return a copy without models: of a model what was given to it, and of a search not what its preset gave it."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if not isinstance(value, BaseModel):
        return value
    preset = PRESETS[value.preset] if isinstance(value, SearchSettings) else {}
    fields = {name: getattr(value, name) for name in value.model_fields_set}
    return {name: _plain(inner) for name, inner in fields.items() if name not in preset or inner != preset[name]}


def _default_section(path: Sequence[str], defaults: BaseModel) -> dict[str, Any]:
    """What a section must hold to mean its default: a default model's name, mostly nothing."""
    section: Any = defaults
    for part in path:
        section = getattr(section, part, None)
    return section.model_dump(exclude_defaults=True) if isinstance(section, BaseModel) else {}


def _secrets(settings: Settings) -> list[Problem]:
    found = []
    for role in _ROLES:
        model = getattr(settings.models, role)
        if model is not None and model.base_url is not None and _holds_secret(model.base_url):
            text = "holds a user name, a password or a key; take it out, secrets are read from the environment alone"
            found.append(Problem(f"models.{role}.base_url", text))
    if _DATABASE.match(settings.run.checkpoints or ""):
        text = f"write {POSTGRES}, and put the database's URL into the environment variable BLPO_DATABASE_URL"
        found.append(Problem("run.checkpoints", text))
    return found


def _holds_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "@" in url
    return "@" in parts.netloc or bool(_SECRET_PARAMETER.search(parts.query))


def _missing_files(settings: Settings) -> list[Problem]:
    files = {f"prompts.{name}": getattr(settings.prompts, name) for name in ("judge_file", "i2t_file")}
    return [
        Problem(key, f"{path} is no file")
        for key, path in files.items()
        if path is not None and not os.path.isfile(path)
    ]


def _prompt(settings: Settings, name: str) -> str | None:
    text: str | None = getattr(settings.prompts, name)
    path = getattr(settings.prompts, f"{name}_file")
    if path is not None:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"prompts.{name}_file: {path} can't be read: {reason}") from None
    return text.strip() if text else None


def _config_error(found: Sequence[Problem], file: Path | None, changed: Sequence[str]) -> ConfigError:
    def origin(key: str) -> str:
        if any(name == key or name.startswith(f"{key}.") or key.startswith(f"{name}.") for name in changed):
            return "--set "
        return f"{file}: " if file else ""

    return ConfigError("\n".join(f"{origin(problem.key)}{problem}" for problem in found))
