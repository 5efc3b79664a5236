"""Which models see images: judge and verbalizer must, and one that can't is refused before anything is paid for."""

import re

from state.errors import ModelError
from state.settings import ModelSettings, ModelsSettings

_TEXT_ONLY = re.compile(
    r"""gpt-3\.5 | gpt-4(?:-32k)?(?:-0\d{3})?$ | gpt-oss | o1-(?:mini|preview) | o3-mini
      | deepseek-(?!vl|ocr) | (?:meta-)?llama-?[23](?:[.-]|$)(?!.*vision) | codellama
      | qwen(?:1\.5|2|2\.5|3)-(?!.*(?:vl|omni)) | qwq-
      | mistral-(?:7b|nemo) | mixtral | codestral | phi-[1-4](?!.*(?:vision|multimodal))
      | gemma-(?:1\.1|2|7b) | gemma-3-(?:1b|270m) | claude-(?:2|instant)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Names of models known to take text alone, from the start of the name's last part."""


def sees_images(settings: ModelSettings) -> bool:
    """Whether the model sees images: as `vision` says, else yes unless its name is known not to."""
    if settings.vision is not None:
        return settings.vision
    if settings.name.startswith("embedded:"):
        return True
    return _TEXT_ONLY.match(bare_name(settings)) is None


def bare_name(settings: ModelSettings) -> str:
    """The model's own name, without provider and owner: `Qwen2.5-VL-7B` of `vllm:Qwen/Qwen2.5-VL-7B`."""
    given = settings.arguments.get("model") or settings.arguments.get("model_name") or settings.name.partition(":")[2]
    return str(given).rpartition("/")[2]


def require_vision(models: ModelsSettings) -> None:
    """Raise `ModelError` for a judge or a verbalizer that can't see, or that only looks at what it is to improve."""
    for role in ("judge", "verbalizer"):
        model = models.of(role)
        if model.name == "embedded:optimizer":
            raise ModelError(f"models.{role}: embedded:optimizer is no {role}; name embedded:{role}")
        if not sees_images(model):
            why = "by its setting" if model.vision is False else "as far as its name is known"
            raise ModelError(
                f"models.{role}: {model.name} can't see images ({why}), and a {role} must; name a model with vision, or"
                f" set models.{role}.vision: true if it has"
            )
