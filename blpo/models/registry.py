"""Chat models by name, `provider:model`; a new provider is one call of `register`.

Nothing here opens a connection, and a provider's packages are imported only when a model of it is built.
"""

import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from blpo.models.langchain_chat import close_langchain_chat, community_chat, constructor_parameters, langchain_chat
from blpo.models.openai_chat import close_chat, constrained_to, openai_chat, sent_parameters, vllm_chat
from blpo.models.vllm_engine import close_engine_chat, engine_chat, engine_constrained, engine_parameters
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # it takes half a second to import
    from langchain_core.language_models import BaseChatModel

Build = Callable[[ModelSettings], "BaseChatModel"]

_EMBEDDED = {
    "judge": ("blpo.models.embedded.judge", "EmbeddedJudge"),
    "verbalizer": ("blpo.models.embedded.verbalizer", "EmbeddedVerbalizer"),
    "optimizer": ("blpo.models.embedded.optimizer", "EmbeddedOptimizer"),
}


def _no_parameters(settings: ModelSettings) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Provider:
    """How the models of one provider are built and called."""

    build: Build
    """Makes a LangChain chat model; raises `ModelError` for a name or key that is missing. Opens no connection."""
    parameters: Callable[[ModelSettings], dict[str, Any]] = sent_parameters
    """Everything beside name, messages and schema that can change an answer: part of a request's key. Plain JSON."""
    constrain: Callable[[dict[str, Any], bool | str], dict[str, Any]] | None = None
    """Arguments of a call that ask for an answer of a JSON schema, in the form that `structured_output` says; None: it
    can't be asked."""
    close: Callable[["BaseChatModel"], Awaitable[None]] | None = None
    names_images: bool = False
    """Whether it can send images by name (`image_uuids`)."""
    local: bool = False
    """Runs in this process: it has no time-outs and no retries, and an exception in it is a fault of ours, unless it is
    LangChain's `ModelInvalidRequestError`: then this one request fails."""


_providers: dict[str, Provider] = {}


def register(provider: str, build: Build | Provider) -> None:
    """Make `provider:NAME` build its models so, from now on."""
    _providers[provider] = build if isinstance(build, Provider) else Provider(build)


def provider_of(settings: ModelSettings) -> Provider:
    """The provider in the model's name; raises `ModelError` for an unknown one, with the nearest name."""
    name = settings.name.partition(":")[0]
    if name not in _providers:
        near = difflib.get_close_matches(name, _providers, n=1)
        hint = f"did you mean {near[0]}:?" if near else f"known are {', '.join(f'{p}:' for p in sorted(_providers))}"
        raise ModelError(f"{settings.name}: unknown provider {name!r}; {hint}")
    return _providers[name]


def chat_model(settings: ModelSettings) -> "BaseChatModel":
    """The LangChain chat model of these settings, not yet connected.

    An embedded model is one object for the whole process. A client of a server is a new object that belongs to the
    event loop that uses it first; whoever builds it uses it for all calls, and closes it by its provider's `close`.
    """
    if not settings.name.partition(":")[2]:
        raise ModelError(f"{settings.name}: is no model; a name is provider:model, such as openai:o3")
    provider = provider_of(settings)
    if settings.image_uuids and not provider.names_images:
        raise ModelError(f"{settings.name}: image_uuids is for openai: and vllm: servers; take it out of this model")
    return provider.build(settings)


def _embedded(settings: ModelSettings) -> "BaseChatModel":
    name = settings.name.partition(":")[2]
    if settings.logprobs:
        raise ModelError(f"{settings.name}: gives no log-probabilities; take logprobs out of this model's settings")
    if name not in _EMBEDDED:
        near = difflib.get_close_matches(name, _EMBEDDED, n=1, cutoff=0.0)
        raise ModelError(f"{settings.name}: no such embedded model; did you mean embedded:{near[0]}?")
    return _embedded_model(*_EMBEDDED[name])


@cache
def _embedded_model(module: str, name: str) -> "BaseChatModel":
    model: BaseChatModel = getattr(import_module(module), name)()
    return model


register("embedded", Provider(_embedded, parameters=_no_parameters, local=True))
register("openai", Provider(openai_chat, constrain=constrained_to, close=close_chat, names_images=True))
register("vllm", Provider(vllm_chat, constrain=constrained_to, close=close_chat, names_images=True))
register("langchain", Provider(langchain_chat, constructor_parameters, close=close_langchain_chat))
register("community", Provider(community_chat, constructor_parameters, close=close_langchain_chat))
register(
    "vllm-engine",
    Provider(engine_chat, engine_parameters, engine_constrained, close=close_engine_chat, local=True),
)
