"""OpenAI-compatible servers: a vendor's API (`openai:`) and vLLM (`vllm:`).

Two clients, the same requests and the same readings of their replies (tests compare them). `client: lean`, the default
for all roles so that they fail and recover alike, is `lean_chat`: a third or less of the CPU a call, which is
what keeps one process ahead of a fast server. `client: langchain` is langchain-openai's ChatOpenAI, the general way:
take it for what only that knows, such as the models that speak the Responses API alone.

Retries are ours, not the client's, and answers are never streamed: LangGraph's `messages` mode would switch that on and
lose the token counts.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from blpo.models.catalogue import facts
from blpo.models.label_scores import MOST_ALTERNATIVES
from blpo.models.openai.address import VENDOR_URL, address_and_query, address_of, served_name
from blpo.models.proxies import proxy_of
from blpo.models.secrets import environment_secret
from blpo.models.traffic import count
from blpo.models.verdict_format import labels_of
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_CREDENTIALS = {"authorization", "api-key", "x-api-key"}
"""Headers that stand for a key."""


def openai_chat(settings: ModelSettings) -> "BaseChatModel":
    """A model of a vendor's API; its key is in OPENAI_API_KEY, or in a header of the settings."""
    key = environment_secret("OPENAI_API_KEY")
    if not key and not _CREDENTIALS & {name.lower() for name in settings.headers}:
        raise ModelError(f"{settings.name}: needs a key; set OPENAI_API_KEY in the environment")
    return _chat(settings, key, {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"})


def vllm_chat(settings: ModelSettings) -> "BaseChatModel":
    """A model served by vLLM at `base_url`; its key, where the server wants one, is in VLLM_API_KEY."""
    if not settings.base_url:
        raise ModelError(f"{settings.name}: needs the server's address; set base_url, such as http://localhost:8000/v1")
    return _chat(settings, environment_secret("VLLM_API_KEY") or "EMPTY", {})


def sent_parameters(settings: ModelSettings) -> dict[str, Any]:
    """What is sent beside the messages and can change the answer."""
    parameters = {
        "base_url": address_of(settings),
        "temperature": settings.temperature if facts(settings).takes_temperature.value else None,
        "max_tokens": settings.max_tokens,
    }
    if settings.reasoning_effort:
        parameters["reasoning_effort"] = settings.reasoning_effort
    if settings.logprobs:
        parameters["logprobs"] = True
    return parameters


def constrained_to(schema: dict[str, Any], form: bool | str = True) -> dict[str, Any]:
    """Arguments of a call that constrain the answer to a JSON schema, or (`choice`, vLLM) to one of its labels."""
    # In extra_body, because a response_format of the client's own makes it raise for answers that were cut off.
    if form == "choice" and (labels := labels_of(schema)):
        return {"extra_body": {"structured_outputs": {"choice": labels}}}
    described = {"name": "verdict", "schema": schema, "strict": True}
    return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": described}}}


async def close_chat(model: "BaseChatModel") -> None:
    """Close the model's connections."""
    client = getattr(model, "root_async_client", None)  # ChatOpenAI's
    if client is not None:
        await client.close()
    else:
        await model.aclose()  # type: ignore[attr-defined] # LeanChat, not imported for its name alone


def _chat(settings: ModelSettings, key: str | None, variables: dict[str, str]) -> "BaseChatModel":
    own = {name: value for name, variable in variables.items() if (value := environment_secret(variable))}
    headers = {**own, **_headers(settings)}
    for name, value in {"Authorization": key or "", **headers}.items():
        if not value.isprintable():
            raise ModelError(f"{settings.name}: the key for header {name} holds a line break or the like; set it anew")
    build = _lean if settings.client == "lean" else _langchain
    return build(settings, key, headers)


def _lean(settings: ModelSettings, key: str | None, headers: dict[str, str]) -> "BaseChatModel":
    from blpo.models.lean_chat import LeanChat

    address, query = address_and_query(address_of(settings) or VENDOR_URL)
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise ModelError(f"{settings.name}: base_url is no address; it looks like http://localhost:8000/v1")
    has_credentials = _CREDENTIALS & {name.lower() for name in headers}
    authorization = {"Authorization": f"Bearer {key}"} if key and not has_credentials else {}
    secret = {name: SecretStr(value) for name, value in {**authorization, **headers}.items()}
    url = f"{address}/chat/completions" + (f"?{query}" if query else "")
    proxy = proxy_of(url)
    return LeanChat(
        model=served_name(settings),
        url=url,
        headers=secret,
        parameters={name: value for name, value in request_fields(settings).items() if value is not None},
        image_uuids=settings.image_uuids,
        proxy=SecretStr(proxy) if proxy else None,
        cache=False,
        disable_streaming=True,
    )


def _langchain(settings: ModelSettings, key: str | None, headers: dict[str, str]) -> "BaseChatModel":
    if settings.image_uuids:
        raise ModelError(f"{settings.name}: image_uuids needs client: lean; take one of the two settings out")
    from langchain_openai import ChatOpenAI
    from langchain_openai.chat_models.base import BaseChatOpenAI
    from openai import DefaultAsyncHttpxClient

    async def sent(request: Any) -> None:
        count(sent=len(request.content))

    async def received(response: Any) -> None:
        count(received=len(await response.aread()))

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [sent], "response": [received]}
    # The shared client belongs to one loop. Redirects are not followed: they would take keys and images elsewhere.
    own = DefaultAsyncHttpxClient(timeout=settings.timeout, event_hooks=hooks, follow_redirects=False)
    address, query = address_and_query(address_of(settings) or "")
    # ChatOpenAI renames max_tokens, its base sends it. Not in extra_body, which a call with a schema would replace.
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
        http_async_client=own,
        **fields,
    )


def request_fields(settings: ModelSettings) -> dict[str, Any]:
    """Fields of a request beside model, messages and schema; None: not sent."""
    sent = sent_parameters(settings)
    return {
        "temperature": sent["temperature"],
        settings.max_tokens_parameter: sent["max_tokens"],
        "reasoning_effort": settings.reasoning_effort,
        **({"logprobs": True, "top_logprobs": MOST_ALTERNATIVES} if settings.logprobs else {}),
    }


def _headers(settings: ModelSettings) -> dict[str, str]:
    """The headers of the settings with their values from the environment; raises `ModelError` where one is missing."""
    headers = {}
    for name, template in settings.headers.items():
        for variable in _VARIABLE.findall(template):
            value = environment_secret(variable)
            if not value:
                raise ModelError(f"{settings.name}: header {name} needs {variable}; set it in the environment")
            template = template.replace(f"${{{variable}}}", value)
        headers[name] = template
    return headers
