"""Any LangChain chat model by its class: `langchain:package.Class`, and `community:Class` of langchain-community.

The constructor gets the mapping `arguments`, and beside it temperature, max_tokens, timeout, base_url and logprobs of
the settings where the class has such a field. Retries are ours. Keys stay in the environment, under the names that the
class reads.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from blpo.models.extras import missing_extra
from blpo.models.label_scores import MOST_ALTERNATIVES
from blpo.models.secrets import one_line
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # it takes half a second to import
    from langchain_core.language_models import BaseChatModel

_CLIENT = "http_async_client"
"""A field of OpenAI's classes and those made after them. The client they share otherwise belongs to one event loop."""


def langchain_chat(settings: ModelSettings) -> "BaseChatModel":
    """A model of the class `package.Class`; raises `ModelError` where there is none, or where it can't be built."""
    module, _, name = settings.name.partition(":")[2].rpartition(".")
    if not module:
        raise ModelError(f"{settings.name}: names no class; write langchain:package.Class")
    if find_spec(module.partition(".")[0]) is None:
        raise ModelError(
            f"{settings.name}: there is no package {module.partition('.')[0]} here; install it, or check it"
        )
    return _built(settings, module, name)


def community_chat(settings: ModelSettings) -> "BaseChatModel":
    """A chat model of langchain-community; raises `ModelError` also where the extra `community` is missing."""
    if find_spec("langchain_community") is None:
        raise missing_extra(settings, "community")
    return _built(settings, "langchain_community.chat_models", settings.name.partition(":")[2])


def constructor_parameters(settings: ModelSettings) -> dict[str, Any]:
    """What can change an answer, beside name, messages and schema."""
    names = ("arguments", "temperature", "max_tokens", "base_url")
    given = {name: getattr(settings, name) for name in names}
    return {**given, "logprobs": True} if settings.logprobs else given


async def close_langchain_chat(model: "BaseChatModel") -> None:
    """Close the connections that were made for it; clients of its own making end with the process."""
    client = getattr(model, _CLIENT, None)
    if client is not None:
        await client.aclose()


def _built(settings: ModelSettings, module: str, name: str) -> "BaseChatModel":
    from langchain_core.language_models import BaseChatModel

    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ModelError(one_line(f"{settings.name}: there is no such class ({error}); check its name")) from None
    if not (isinstance(kind, type) and issubclass(kind, BaseChatModel)):
        raise ModelError(f"{settings.name}: is no LangChain chat model (a subclass of BaseChatModel)")
    given = _given(kind, settings)
    try:
        model: BaseChatModel = kind(**given)
    except Exception as error:  # a constructor fails as it likes
        raise ModelError(one_line(f"{settings.name}: can't be built from models.ROLE.arguments: {error}")) from None
    return model


def _given(kind: "type[BaseChatModel]", settings: ModelSettings) -> dict[str, Any]:
    """The constructor's arguments: those of the settings that the class has a field for, and then `arguments`."""
    fields = {name: field.alias for name, field in kind.model_fields.items()}
    known = {*fields, *filter(None, fields.values())}
    if settings.logprobs and not {"logprobs", "top_logprobs"} <= known:
        raise ModelError(f"{settings.name}: gives no log-probabilities; take logprobs out of this model's settings")
    offered: dict[str, Any] = {
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        "timeout": settings.timeout,
        "base_url": settings.base_url,
        "logprobs": settings.logprobs or None,
        "top_logprobs": MOST_ALTERNATIVES if settings.logprobs else None,
        "max_retries": 0,
        "cache": False,
        "disable_streaming": True,
    }
    ours = {name: value for name, value in offered.items() if name in known and value is not None}
    if _CLIENT in known:
        from openai import DefaultAsyncHttpxClient

        ours[_CLIENT] = DefaultAsyncHttpxClient(timeout=settings.timeout)
    return {**ours, **settings.arguments}
