"""Any LangChain chat model by class: `langchain:package.Class`, and `community:Class` of langchain-community.

The constructor gets the mapping `arguments` of the settings, and temperature, max_tokens, timeout, base_url and
logprobs of the settings if the class has such fields. Retries are done here, not by the class. Keys stay in the
environment, under the names known to the class.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from blpo.models.extras import missing_extra
from blpo.models.label_scores import MOST_ALTERNATIVES
from blpo.models.secret_masking import one_line
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # takes half a second to import
    from langchain_core.language_models import BaseChatModel

_CLIENT = "http_async_client"
"""Field of OpenAI's classes and of similar classes. The shared default client belongs to a single event loop."""


def langchain_chat(settings: ModelSettings) -> "BaseChatModel":
    """Build a model of the class `package.Class`; raises `ModelError` if the class is missing or fails."""
    module, _, name = settings.name.partition(":")[2].rpartition(".")
    if not module:
        raise ModelError(f"{settings.name}: names no class; write langchain:package.Class")
    package = module.partition(".")[0]
    if find_spec(package) is None:
        raise ModelError(f"{settings.name}: there is no package {package} here; install it, or check it")
    return _build(settings, module, name)


def community_chat(settings: ModelSettings) -> "BaseChatModel":
    """Build a chat model of langchain-community; raises `ModelError` also if the extra `community` is missing."""
    if find_spec("langchain_community") is None:
        raise missing_extra(settings, "community")
    return _build(settings, "langchain_community.chat_models", settings.name.partition(":")[2])


def constructor_parameters(settings: ModelSettings) -> dict[str, Any]:
    """Return the answer-changing parameters: part of the request's key in the response store."""
    names = ("arguments", "temperature", "max_tokens", "base_url")
    parameters = {name: getattr(settings, name) for name in names}
    return {**parameters, "logprobs": True} if settings.logprobs else parameters


async def close_langchain_chat(model: "BaseChatModel") -> None:
    """Close the HTTP client built for the model; further clients of the class end with the process."""
    client = getattr(model, _CLIENT, None)
    if client is not None:
        await client.aclose()


def _build(settings: ModelSettings, module: str, name: str) -> "BaseChatModel":
    from langchain_core.language_models import BaseChatModel

    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ModelError(one_line(f"{settings.name}: there is no such class ({error}); check its name")) from None
    if not (isinstance(kind, type) and issubclass(kind, BaseChatModel)):
        raise ModelError(f"{settings.name}: is no LangChain chat model (a subclass of BaseChatModel)")
    arguments = _constructor_arguments(kind, settings)
    try:
        model: BaseChatModel = kind(**arguments)
    except Exception as error:  # a constructor may raise anything
        raise ModelError(one_line(f"{settings.name}: can't be built from models.ROLE.arguments: {error}")) from None
    return model


def _constructor_arguments(kind: "type[BaseChatModel]", settings: ModelSettings) -> dict[str, Any]:
    """Return the settings with a field in the class, and then `arguments`."""
    aliases = {name: field.alias for name, field in kind.model_fields.items()}
    fields = {*aliases, *filter(None, aliases.values())}
    if settings.logprobs and not {"logprobs", "top_logprobs"} <= fields:
        raise ModelError(f"{settings.name}: gives no log-probabilities; take logprobs out of this model's settings")
    options: dict[str, Any] = {
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
    arguments = {name: value for name, value in options.items() if name in fields and value is not None}
    if _CLIENT in fields:
        from blpo.models.openai.http_client import BoundedHttpClient

        arguments[_CLIENT] = BoundedHttpClient(settings.timeout, settings.max_reply_bytes)
    return {**arguments, **settings.arguments}
