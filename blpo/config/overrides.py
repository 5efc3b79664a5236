"""Overrides of settings: `search.seed=3`, a full name and a value in YAML."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from blpo.config.yaml_text import parse_yaml
from state.errors import ConfigError
from state.settings import SearchSettings, Settings

_DEFAULTS = Settings()


def apply_override(sections: dict[str, Any], override: str, defaults: BaseModel = _DEFAULTS) -> None:
    """Change `sections` by an override. A new section starts from `defaults`.

    Raises `ConfigError` if the override is no `key=value`, or names a section below a value.
    """
    key, equals, text = override.partition("=")
    *path, name = [part.strip() for part in key.split(".")]
    if not equals or not name:
        raise ConfigError(f"--set {override}: must be NAME=VALUE, for instance search.seed=3")
    section = sections
    for depth, part in enumerate(path, start=1):
        if section.get(part) is None:
            section[part] = _default_section(path[:depth], defaults)
        section = section[part]
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override}: {'.'.join(path[:depth])} holds no settings of its own")
    section[name] = parse_yaml(text, f"--set {key}")


def override_name(override: str) -> str:
    """Return the full name of the setting."""
    return override.partition("=")[0].strip()


def _default_section(path: Sequence[str], defaults: BaseModel) -> dict[str, Any]:
    """Return the content of a new section: a default model's name, mostly nothing."""
    section: Any = defaults
    for part in path:
        section = getattr(section, part, None)
    if isinstance(section, SearchSettings):
        return section.explicit
    return section.model_dump(exclude_defaults=True) if isinstance(section, BaseModel) else {}
