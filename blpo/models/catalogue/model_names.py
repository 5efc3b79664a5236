"""Tables of model names, for vision, reasoning and temperature: the source of last resort."""

import re

from state.settings import ModelSettings

_TEXT_ONLY = re.compile(
    r"""gpt-3\.5 | gpt-4(?:-32k)?(?:-0\d{3})?$ | gpt-oss | o1-(?:mini|preview) | o3-mini
      | deepseek-(?!vl|ocr) | (?:meta-)?llama-?[23](?:[.-]|$)(?!.*vision) | codellama
      | qwen(?:1\.5|2|2\.5|3)-(?!.*(?:vl|omni)) | qwq-
      | mistral-(?:7b|nemo) | mixtral | codestral | phi-[1-4](?!.*(?:vision|multimodal))
      | gemma-(?:1\.1|2|7b) | gemma-3-(?:1b|270m) | smollm | claude-(?:2|instant)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Start of the names of text-only models."""
_NO_TEMPERATURE = re.compile(r"(?:o[1-9]|gpt-[5-9])(?:$|[^a-z])", re.IGNORECASE)
"""Start of the names of models that refuse a temperature. All such models reason."""
_REASONING = re.compile(r"qwq|.*(?:thinking|reason|-r1(?:$|-))", re.IGNORECASE)
"""Start of the names of reasoning models that accept a temperature."""

_SINGLE_IMAGE = re.compile(r"(?:meta-)?llama-?3\.2(?=.*vision)", re.IGNORECASE)
"""Start of the names of models that take one image a request."""


def bare_name(settings: ModelSettings) -> str:
    """Return the model's name without provider and owner: `Qwen2.5-VL-7B` for `vllm:Qwen/Qwen2.5-VL-7B`.

    A `langchain:` or `community:` model names a class; the model's own name is among the class's arguments.
    """
    provider, _, name = settings.name.partition(":")
    arguments = settings.arguments if provider in ("langchain", "community") else {}
    return str(arguments.get("model") or arguments.get("model_name") or name).rpartition("/")[2]


def is_text_only(name: str) -> bool:
    """Return true if the bare name is a known name of a text-only model."""
    return _TEXT_ONLY.match(name) is not None


def takes_single_images(name: str) -> bool:
    """Return true if the bare name is a known name of a model that takes one image a request."""
    return _SINGLE_IMAGE.match(name) is not None


def refuses_temperature(name: str) -> bool:
    """Return true if the bare name is a known name of a model without temperature."""
    return _NO_TEMPERATURE.match(name) is not None


def reasons_by_name(name: str) -> bool:
    """Return true if the bare name is a known name of a reasoning model."""
    return refuses_temperature(name) or _REASONING.match(name) is not None
