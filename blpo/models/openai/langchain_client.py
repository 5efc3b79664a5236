"""langchain-openai's ChatOpenAI with our settings: an HTTP client for every model, no retries, no streaming."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai import DefaultAsyncHttpxClient
from pydantic import SecretStr

from blpo.models.byte_counts import count_bytes
from blpo.models.openai.parameters import request_fields
from blpo.models.server_address import address_and_query, address_of, served_name
from state.settings import ModelSettings


def langchain_openai_chat(settings: ModelSettings, key: str | None, headers: dict[str, str]) -> BaseChatOpenAI:
    """Build the chat model; the HTTP client belongs to the event loop of the first call."""
    address, query = address_and_query(address_of(settings) or "")
    # ChatOpenAI renames max_tokens, the base class sends max_tokens. A call with a schema would replace extra_body.
    kind = ChatOpenAI if settings.max_tokens_parameter == "max_completion_tokens" else BaseChatOpenAI
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
        http_async_client=_counting_client(settings.timeout),
        **fields,
    )


def _counting_client(timeout: float) -> DefaultAsyncHttpxClient:
    """Build an HTTP client to count bytes. Redirects are not followed: a redirect would take keys and images elsewhere.

    ChatOpenAI's default client is shared by all models and belongs to a single event loop.
    """

    async def count_request(request: Any) -> None:
        count_bytes(outgoing=len(request.content))

    async def count_response(response: Any) -> None:
        count_bytes(incoming=len(await response.aread()))

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [count_request], "response": [count_response]}
    return DefaultAsyncHttpxClient(timeout=timeout, event_hooks=hooks, follow_redirects=False)
