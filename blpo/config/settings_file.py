"""Settings from a YAML file, a mapping or defaults, with `key=value` overrides; and settings as YAML.

A relative path in a file begins at the file's folder. A relative path in a mapping or an override begins at the
working directory. Loading makes all paths absolute.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from blpo.config.overrides import apply_override, override_name
from blpo.config.setting_checks import missing_files, paths_with_nul, secrets_in
from blpo.config.setting_paths import absolute_paths
from blpo.config.setting_problems import config_error, setting_problems
from blpo.config.task_files import with_task_files
from blpo.config.yaml_text import MAX_BYTES, read_yaml, write_yaml
from state.errors import ConfigError
from state.settings import SearchSettings, Settings

Source = str | Path | Mapping[str, Any] | Settings | None
"""A YAML file, a mapping, settings, or None for the built-in sample."""


def load_settings(source: Source = None, overrides: Sequence[str] = ()) -> Settings:
    """Return the settings of a YAML file or a mapping, or the defaults (None: the built-in sample).

    An empty section means the section's defaults. An override is `search.seed=3`: a full name and a value in YAML;
    nothing after `=` means null. The last override of a setting wins. A section begun by an override starts from the
    section's defaults. Prompt files must exist; a run reads their content later.

    Raises `ConfigError` with a line for every problem. A line names the file and the setting.
    """
    file = Path(source) if isinstance(source, str | Path) else None
    base = file.absolute().parent if file else Path.cwd()
    sections = absolute_paths(with_task_files(_sections(source), base, _sections), base)
    for override in overrides:
        apply_override(sections, override)
    names = [override_name(override) for override in overrides]
    try:
        settings = Settings.model_validate(absolute_paths(sections, Path.cwd()))
    except ValidationError as error:
        raise config_error(setting_problems(error), file, names) from None
    if problems := [*secrets_in(settings), *(paths_with_nul(settings) or missing_files(settings))]:
        raise config_error(problems, file, names)
    return settings


def dump_settings(settings: Settings) -> str:
    """Return the settings as YAML, with every value written out. Loading the YAML gives equal settings.

    Raises `ConfigError` if a setting holds a secret, or the YAML is larger than `load_settings` reads.
    """
    if problems := secrets_in(settings):
        raise config_error(problems)
    text = write_yaml(plain_settings(settings))
    if len(text.encode()) > MAX_BYTES:
        room = f"{MAX_BYTES // 1024} KiB"
        raise ConfigError(f"the settings take more than {room} of YAML; shorten prompts, task.labels or arguments")
    return text


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Return all settings as plain values, from which the same settings can be read."""
    own_sections = {"task", "data"} if settings.tasks else {"tasks"}  # several tasks have both sections each
    return settings.model_dump(mode="json", exclude=own_sections)


def _sections(source: Source) -> dict[str, Any]:
    """Return a copy of the source's sections as plain values, without empty sections."""
    content = read_yaml(Path(source)) if isinstance(source, str | Path) else {} if source is None else source
    if content is None:
        raise ConfigError(
            f"{source} is empty; write settings into it, or give no configuration for the built-in sample"
        )
    if not isinstance(content, Mapping | Settings):
        name = source if isinstance(source, str | Path) else "the configuration"
        raise ConfigError(f"{name} holds no settings; it must be a mapping such as `search: {{seed: 0}}`")
    sections: dict[str, Any] = _plain(content)
    return {
        name: section for name, section in sections.items() if section is not None or name not in Settings.model_fields
    }


def _plain(value: Any) -> Any:
    """Return a copy of plain values. A model becomes a mapping of all fields set by the caller.

    A field of a search with the preset's value is left out, so an override can change the preset.
    """
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if not isinstance(value, BaseModel):
        return value
    fields = {name: getattr(value, name) for name in value.model_fields_set}
    if isinstance(value, SearchSettings):
        fields = value.explicit
    return {name: _plain(inner) for name, inner in fields.items()}
