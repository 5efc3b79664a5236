"""Prompt in the file of an option."""

from pathlib import Path

from state.errors import ConfigError


def read_prompt(option: str, file: Path | None) -> str | None:
    """Return the text of the file, None without a file; raises `ConfigError` naming the option."""
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option} {file}: can't be read: {getattr(error, 'strerror', None) or error}") from None
