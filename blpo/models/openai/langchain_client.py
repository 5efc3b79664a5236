"""langchain-openai's ChatOpenAI with our settings: an HTTP client for every model, no retries, no streaming."""

from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import BaseModel, SecretStr

from blpo.models.openai.certificates import trusted_certificates
from blpo.models.openai.completion import message_of
from blpo.models.openai.http_client import BoundedHttpClient
from blpo.models.openai.parameters import request_fields
from blpo.models.openai.proxy import proxy_of
from blpo.models.openai.reduced_completion import reduced_completion
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
        http_async_client=_bounded_client(settings, address or VENDOR_URL),
        **fields,
    )


def _bounded_client(settings: ModelSettings, address: str) -> BoundedHttpClient:
    """Build an HTTP client with the proxy and the certificates of the lean client."""
    return BoundedHttpClient(
        settings.timeout,
        settings.max_reply_bytes,
        partial(reduced_completion, logprobs=settings.logprobs),
        trust_env=False,
        proxy=proxy_of(address),
        verify=trusted_certificates() if address.startswith("https:") else True,
    )
