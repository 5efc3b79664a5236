"""OpenAI-compatible servers: a vendor's API (`openai:`) and vLLM (`vllm:`), through langchain-openai.

Retries are ours, not the client's, and answers are never streamed: LangGraph's `messages` mode would switch that on and
lose the token counts.
"""

import os
import re
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_openai import ChatOpenAI

_REASONING = re.compile(r"(?:o[1-9]|gpt-[5-9])(?:$|[^a-z])", re.IGNORECASE)
"""Names of models that refuse a temperature."""


def openai_chat(settings: ModelSettings) -> "BaseChatModel":
    """A model of a vendor's API; its key is in OPENAI_API_KEY."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key:
        raise ModelError(f"{settings.name}: needs a key; set OPENAI_API_KEY in the environment")
    return _chat(settings, key)


def vllm_chat(settings: ModelSettings) -> "BaseChatModel":
    """A model served by vLLM at `base_url`; its key, where the server wants one, is in VLLM_API_KEY."""
    if not settings.base_url:
        raise ModelError(f"{settings.name}: needs the server's address; set base_url, such as http://localhost:8000/v1")
    return _chat(settings, os.environ.get("VLLM_API_KEY", "").strip() or "EMPTY")


def sent_parameters(settings: ModelSettings) -> dict[str, Any]:
    """What is sent beside the messages and can change the answer."""
    return {
        "base_url": _address(settings),
        "temperature": None if _is_reasoning(settings) else settings.temperature,
        "max_tokens": settings.max_tokens,
    }


def constrained_to(schema: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call that constrain the answer to a JSON schema, where the server knows how to."""
    # In extra_body, because a response_format of the client's own makes it raise for answers that were cut off.
    form = {"name": "verdict", "schema": schema, "strict": True}
    return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": form}}}


async def close_chat(model: "BaseChatModel") -> None:
    """Close the model's connections."""
    await cast("ChatOpenAI", model).root_async_client.close()


def _chat(settings: ModelSettings, key: str) -> "BaseChatModel":
    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient

    sent = sent_parameters(settings)
    return ChatOpenAI(
        model=_served_name(settings),
        api_key=SecretStr(key),
        base_url=sent["base_url"],
        temperature=sent["temperature"],
        max_completion_tokens=sent["max_tokens"],
        timeout=settings.timeout,
        max_retries=0,
        cache=False,
        disable_streaming=True,
        http_async_client=DefaultAsyncHttpxClient(timeout=settings.timeout),  # the shared one belongs to one event loop
    )


def _address(settings: ModelSettings) -> str | None:
    """Where the requests go; None: the vendor's own address."""
    given = settings.base_url
    if given is None and settings.name.startswith("openai:"):
        given = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return given.rstrip("/") if given else None


def _served_name(settings: ModelSettings) -> str:
    return settings.name.partition(":")[2]


def _is_reasoning(settings: ModelSettings) -> bool:
    return _REASONING.match(_served_name(settings).rpartition("/")[2]) is not None
