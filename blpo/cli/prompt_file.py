"""A prompt in a file that an option names."""

from pathlib import Path

from state.errors import ConfigError


def read_prompt(option: str, file: Path | None) -> str | None:
    """The text of the file, None where there is none; raises `ConfigError` naming the option where it can't be read."""
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option} {file}: can't be read: {getattr(error, 'strerror', None) or error}") from None
