"""Settings with an effect on results: the hash of a configuration, and the settings behind a measurement."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from state.errors import ConfigError
from state.settings import ModelSettings, Settings
from state.settings.section import Section

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
    "votes",
    "reason",
}
"""Settings of a model with an effect on the model's answers."""


_LATER: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("round", "raters", "slices", "agreement", "question", "reference", "before"), (None, [])),
    "reference_text": (None,),
    "image_names": (None,),
    "scale": ({},),
    "answer": ("number",),
    "trials": ("scored",),
    "batch": ("split",),
    "select_on": ("validation",),
    "score_on": ("batch",),
    "floor": (0.1,),
    "higher_is": (None, "better", "worse"),
    "ties": (False,),
    "order": ("both",),
    "best": (None,),
}
"""Settings that older versions lack, with the values that stand for the old behaviour."""


def config_hash(settings: Settings) -> str:
    """Return the SHA-256 (hex) of all settings with an effect on results.

    The hash covers the task, the reading of the data, the models' names and sampling, the initial prompts and the
    search. A prompt file counts by the text in the file. The hash leaves out the limits, the models' addresses, and
    the folders of the run and the data, and `data.unlabelled`: a run checks the dataset's fingerprint.

    Raises `ConfigError` if a prompt file can't be read.
    """
    measuring = measuring_settings(settings)
    content = {
        **{name: measuring[name] for name in ("task", "data", "prompts")},
        "models": {role: _model(settings, role) for role in ("judge", "verbalizer", "optimizer")},
        "search": _without_later_defaults(settings.search, {"preset"}),
        **_tasks(settings),
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def measuring_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings behind the measurement of a judge prompt, by section, as plain values.

    The data's folder is left out. Raises `ConfigError` if a prompt file can't be read.
    """
    return {
        "task": _without_later_defaults(settings.task),
        "data": _data(settings),
        "prompts": {name: _prompt(settings, name) for name in ("judge", "i2t")} | _further_prompts(settings),
        "models.judge": _model(settings, "judge"),
        **_tasks(settings),
    }


def _tasks(settings: Settings) -> dict[str, Any]:
    """Return the settings of several tasks; empty for a single task, so that old hashes stay."""
    if not settings.task_names:
        return {}
    entries = [entry.model_dump(mode="json", exclude={"task", "data"}) for entry in settings.entries]
    own = [settings.of_task(name) for name in settings.task_names]
    parts = [
        {**entry, "task": _without_later_defaults(each.task), "data": _data(each)}
        for entry, each in zip(entries, own, strict=True)
    ]
    return {"tasks": parts, "criteria_calls": settings.criteria_calls if settings.criteria else "each"}


def _data(settings: Settings) -> dict[str, Any]:
    content = _without_later_defaults(settings.data, {"path", "corrections", "unlabelled"})
    for name in ("seed", "calibration"):
        if content["split"].get(name, ...) is None:
            del content["split"][name]  # as before there was such a setting
    return content


def _without_later_defaults(section: Section, exclude: set[str] | None = None) -> dict[str, Any]:
    """Return the settings of a section, without later settings that change nothing: old hashes stay."""
    content = section.model_dump(mode="json", exclude=exclude)
    if content.get("raters"):
        content["raters"]["file"] = content["raters"]["file"] is not None  # as for data.path: the fingerprint checks it
        if content["raters"]["label_from"] == "ratings":
            del content["raters"]["label_from"]  # as before there was such a setting
    return {name: value for name, value in content.items() if value not in _LATER.get(name, ())}


def _further_prompts(settings: Settings) -> dict[str, str]:
    """Return `prompts.reference` and `prompts.parts`; nothing for defaults, so that old hashes stay."""
    prompts = settings.prompts
    reference = {} if prompts.reference == "both" else {"reference": prompts.reference}
    parts = {} if prompts.parts == "one" else {"parts": prompts.parts}
    examples = {"examples": f"{prompts.examples} {prompts.examples_as}"} if prompts.examples else {}
    return reference | parts | examples


def _model(settings: Settings, role: str) -> dict[str, Any]:
    models = settings.models
    if role != "judge" or models.panel is None:
        return _one_model(models.of(role), role)
    members = [_one_model(each, role) for each in models.judges]
    return {"judges": members, "panel": models.panel.model_dump(mode="json")}


def _one_model(model: ModelSettings, role: str) -> dict[str, Any]:
    content = model.model_dump(mode="json", include=_CHANGES_ANSWERS)
    later = {"votes": 1, "reason": "before"}
    for name, old in later.items():
        if role != "judge" or content[name] == old:
            del content[name]  # as before there was such a setting; other roles have none
    return content


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
