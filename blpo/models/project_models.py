"""Models of a new project: names as people type them, and the section `models` of the config."""

from blpo.models.registry import provider_of
from state.settings import ModelSettings

SERVED_PROVIDERS = ("openai", "vllm")
"""Providers that have an address."""
_LOCAL_VLLM = "http://localhost:8000/v1"


def model_name(text: str) -> str:
    """Return a model's name with the provider; empty for embedded models. Raises `ModelError` for other providers."""
    if text == "embedded" or text.startswith("embedded:"):
        return ""
    name = text if ":" in text else f"openai:{text}"
    provider_of(ModelSettings(name=name))
    return name


def is_served(judge: str) -> bool:
    """Return True if the judge may have an address."""
    return judge.partition(":")[0] in SERVED_PROVIDERS


def default_address(judge: str) -> str:
    """Return the address of a local vLLM server; empty for the vendor's own address."""
    return _LOCAL_VLLM if judge.partition(":")[0] == "vllm" else ""


def default_optimizer(judge: str, address: str) -> str:
    """Return the judge's model, or a strong vendor model if the judge is at the vendor's own address."""
    return judge if address or not is_served(judge) else "openai:o3"


def models_section(judge: str, address: str, optimizer: str) -> dict[str, dict[str, str]]:
    """Return the section `models` of the config; an optimizer of the same name has the judge's address."""
    place = {"base_url": address} if address else {}
    return {
        "judge": {"name": judge, **place},
        "optimizer": {"name": optimizer or "embedded:optimizer", **(place if optimizer == judge else {})},
    }
