"""Settings that determine results: the hash of all of them, and those that decide how judge prompts are measured."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from state.errors import ConfigError
from state.settings import Settings

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
"""Settings of a model that change the model's answers."""


def config_hash(settings: Settings) -> str:
    """Return the SHA-256 (hex) of the settings that determine results.

    The hash covers the task, how the data is read, the models with the settings that change answers, the initial
    prompts and the search. A prompt file counts by its text. The hash leaves out the limits, the run's place, the
    models' addresses, and the data's place: a run checks the dataset's fingerprint.

    Raises `ConfigError` where a prompt file can't be read.
    """
    measuring = measuring_settings(settings)
    content = {
        **{name: measuring[name] for name in ("task", "data", "prompts")},
        "models": {role: _model(settings, role) for role in ("judge", "verbalizer", "optimizer")},
        "search": settings.search.model_dump(mode="json", exclude={"preset"}),
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def measuring_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide how judge prompts are measured, by section, as plain values.

    The data's place is left out. Raises `ConfigError` where a prompt file can't be read.
    """
    return {
        "task": settings.task.model_dump(mode="json"),
        "data": settings.data.model_dump(mode="json", exclude={"path", "corrections"}),
        "prompts": {name: _prompt(settings, name) for name in ("judge", "i2t")},
        "models.judge": _model(settings, "judge"),
    }


def _model(settings: Settings, role: str) -> dict[str, Any]:
    return settings.models.of(role).model_dump(mode="json", include=_CHANGES_ANSWERS)


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
