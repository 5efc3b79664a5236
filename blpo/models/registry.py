"""Chat models by name, `provider:model`. To add a provider, call `register`.

Nothing here opens a connection. The packages of a provider are imported when a model of the provider is built.
"""

import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blpo.models.embedded_models import embedded_chat, no_parameters
from blpo.models.langchain_models import close_langchain_chat, community_chat, constructor_parameters, langchain_chat
from blpo.models.openai.chat_models import close_chat, openai_chat, vllm_chat
from blpo.models.openai.parameters import key_parameters, schema_arguments
from blpo.models.repeats import engine_repeat_fields, no_repeat_fields, repeat_fields, seeded_repeat_fields
from blpo.models.vllm_engine.engine import close_engine_chat, engine_chat, engine_parameters, engine_schema_arguments
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # takes half a second to import
    from langchain_core.language_models import BaseChatModel

Build = Callable[[ModelSettings], "BaseChatModel"]
"""Builds a LangChain chat model; raises `ModelError` for a missing name or key. Opens no connection."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Functions to build, call and close the models of a provider."""

    build: Build
    parameters: Callable[[ModelSettings], dict[str, Any]] = key_parameters
    """Returns plain JSON: answer-changing parameters beside name, messages and schema. Part of the request's key."""
    constrain: Callable[[dict[str, Any], bool | str], dict[str, Any]] | None = None
    """Returns arguments of a call to constrain the answer to a JSON schema, in the form of `structured_output`.
    None: answers can't be constrained."""
    repeat: Callable[[ModelSettings, int], dict[str, Any]] = no_repeat_fields
    """Returns arguments of a call for a further repeat of a question, plain JSON. Part of the request's key."""
    close: Callable[["BaseChatModel"], Awaitable[None]] | None = None
    names_images: bool = False
    """True if images can be sent by name (`image_uuids`)."""
    local: bool = False
    """True for models inside the process. Such models have no time-outs and no retries. An exception in a local
    model is a fault of our code, except LangChain's `ModelInvalidRequestError`: then one request fails."""


_providers: dict[str, Provider] = {
    "embedded": Provider(embedded_chat, no_parameters, local=True),
    "openai": Provider(openai_chat, key_parameters, schema_arguments, repeat_fields, close_chat, names_images=True),
    "vllm": Provider(vllm_chat, key_parameters, schema_arguments, seeded_repeat_fields, close_chat, names_images=True),
    "langchain": Provider(langchain_chat, constructor_parameters, repeat=repeat_fields, close=close_langchain_chat),
    "community": Provider(community_chat, constructor_parameters, repeat=repeat_fields, close=close_langchain_chat),
    "vllm-engine": Provider(
        engine_chat, engine_parameters, engine_schema_arguments, engine_repeat_fields, close_engine_chat, local=True
    ),
}


def register(provider: str, build: Build | Provider) -> None:
    """Build models named `provider:NAME` with `build` from now on."""
    _providers[provider] = build if isinstance(build, Provider) else Provider(build)


def provider_of(settings: ModelSettings) -> Provider:
    """Return the provider in the model's name; raises `ModelError` for an unknown provider, with the nearest name."""
    name = settings.name.partition(":")[0]
    if name not in _providers:
        near = difflib.get_close_matches(name, _providers, n=1)
        hint = f"did you mean {near[0]}:?" if near else f"known are {', '.join(f'{p}:' for p in sorted(_providers))}"
        raise ModelError(f"{settings.name}: unknown provider {name!r}; {hint}")
    return _providers[name]


def chat_model(settings: ModelSettings) -> "BaseChatModel":
    """Return the LangChain chat model of the settings, not yet connected.

    An embedded model is a single object for the whole process. Any model of a server is a new object, and belongs to
    the event loop of the first use. The builder uses the object for all calls, and closes the object by the provider's
    `close`.
    """
    if not settings.name.partition(":")[2]:
        raise ModelError(f"{settings.name}: is no model; a name is provider:model, such as openai:o3")
    provider = provider_of(settings)
    if settings.image_uuids and not provider.names_images:
        raise ModelError(f"{settings.name}: image_uuids is for openai: and vllm: servers; take it out of this model")
    return provider.build(settings)
