"""Configurations written by tests, and the messages for broken configurations."""

from pathlib import Path
from typing import Any

import pytest

from blpo.config.settings_file import load_settings
from state.errors import ConfigError


def write_config(folder: Path, text: str | bytes, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(source: Any, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(source, overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)
