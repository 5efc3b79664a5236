"""langchain-openai's ChatOpenAI with our settings: an HTTP client for every model, no retries, no streaming."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai import DefaultAsyncHttpxClient
from pydantic import BaseModel, SecretStr

from blpo.models.byte_counts import count_bytes
from blpo.models.openai.certificates import trusted_certificates
from blpo.models.openai.completion import message_of
from blpo.models.openai.parameters import request_fields
from blpo.models.openai.proxy import proxy_of
from blpo.models.server_address import VENDOR_URL, address_and_query, address_of, served_name
from state.settings import ModelSettings


class _OneReader(BaseChatOpenAI):
    """Chat model that reads completions as the lean client does."""

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        content = response.model_dump(warnings=False) if isinstance(response, BaseModel) else response
        return ChatResult(generations=[ChatGeneration(message=message_of(content, self.model_name))])


class _PlainChat(_OneReader):
    """Sends `max_tokens`."""


class _RenamingChat(_OneReader, ChatOpenAI):
    """Sends `max_completion_tokens`."""


def langchain_openai_chat(settings: ModelSettings, key: str | None, headers: dict[str, str]) -> BaseChatOpenAI:
    """Build the chat model; the HTTP client belongs to the event loop of the first call."""
    address, query = address_and_query(address_of(settings) or "")
    # ChatOpenAI renames max_tokens, the base class sends max_tokens. A call with a schema would replace extra_body.
    kind = _RenamingChat if settings.max_tokens_parameter == "max_completion_tokens" else _PlainChat
    fields = request_fields(settings)
    fields["max_tokens"] = fields.pop(settings.max_tokens_parameter)
    return kind(
        model=served_name(settings),
        api_key=SecretStr(key or "EMPTY"),
        base_url=address or None,
        default_query=dict(parse_qsl(query)) or None,
        default_headers=headers or None,
        timeout=settings.timeout,
        max_retries=0,
        cache=False,
        disable_streaming=True,
        http_async_client=_counting_client(settings.timeout, address or VENDOR_URL),
        **fields,
    )


def _counting_client(timeout: float, address: str) -> DefaultAsyncHttpxClient:
    """Build an HTTP client to count bytes. Redirects are not followed: a redirect would take keys and images elsewhere.

    ChatOpenAI's default client is shared by all models and belongs to a single event loop. Proxy and certificates are
    those of the lean client.
    """

    async def count_request(request: Any) -> None:
        count_bytes(outgoing=len(request.content))

    async def count_response(response: Any) -> None:
        count_bytes(incoming=len(await response.aread()))

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [count_request], "response": [count_response]}
    return DefaultAsyncHttpxClient(
        timeout=timeout,
        event_hooks=hooks,
        follow_redirects=False,
        trust_env=False,
        proxy=proxy_of(address),
        verify=trusted_certificates() if address.startswith("https:") else True,
    )
