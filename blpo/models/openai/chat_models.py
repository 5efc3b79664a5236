"""Chat models of OpenAI-compatible servers: a vendor's API (`openai:`) and vLLM (`vllm:`).

Two clients send the same requests and read replies alike (tests compare the clients). `client: lean`, the default (all
roles then fail and recover alike), is `lean_client`: a third or less of the CPU a call, and so a single
process keeps up with a fast server. `client: langchain` is langchain-openai's ChatOpenAI: take ChatOpenAI for abilities
beyond the lean client, such as models with the Responses API alone.

Retries are done by `retries`, not by the client. Answers are never streamed: LangGraph's `messages` mode would switch
streaming on and lose the token counts.
"""

from typing import TYPE_CHECKING

from pydantic import SecretStr

from blpo.models.openai.headers import has_credentials, request_headers
from blpo.models.openai.parameters import request_fields
from blpo.models.openai.proxy import proxy_of
from blpo.models.secret_masking import environment_secret
from blpo.models.server_address import VENDOR_URL, address_and_query, address_of, require_address, served_name
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # takes half a second to import
    from langchain_core.language_models import BaseChatModel

_ACCOUNT_VARIABLES = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
"""Headers that name the account at the vendor, and their environment variables."""


def openai_chat(settings: ModelSettings) -> "BaseChatModel":
    """Build a model of a vendor's API; the key is in OPENAI_API_KEY, or in a header of the settings."""
    key = environment_secret("OPENAI_API_KEY")
    if not key and not has_credentials(settings.headers):
        raise ModelError(f"{settings.name}: needs a key; set OPENAI_API_KEY in the environment")
    return _chat(settings, key, _ACCOUNT_VARIABLES)


def vllm_chat(settings: ModelSettings) -> "BaseChatModel":
    """Build a model served by vLLM at `base_url`; the key, if the server asks for a key, is in VLLM_API_KEY."""
    if not settings.base_url:
        raise ModelError(f"{settings.name}: needs the server's address; set base_url, such as http://localhost:8000/v1")
    return _chat(settings, environment_secret("VLLM_API_KEY") or "EMPTY", {})


async def close_chat(model: "BaseChatModel") -> None:
    """Close the connections of the model."""
    client = getattr(model, "root_async_client", None)  # ChatOpenAI's
    if client is not None:
        await client.close()
    else:
        await model.aclose()  # type: ignore[attr-defined] # LeanChat, not imported for its name alone


def _chat(settings: ModelSettings, key: str | None, account: dict[str, str]) -> "BaseChatModel":
    require_address(settings)
    headers = request_headers(settings, account, key)
    if settings.client == "lean":
        return _lean_chat(settings, key, headers)
    if settings.image_uuids:
        raise ModelError(f"{settings.name}: image_uuids needs client: lean; take one of the two settings out")
    from blpo.models.openai.langchain_client import langchain_openai_chat

    return langchain_openai_chat(settings, key, headers)


def _lean_chat(settings: ModelSettings, key: str | None, headers: dict[str, str]) -> "BaseChatModel":
    from blpo.models.openai.lean_client import LeanChat

    address, query = address_and_query(address_of(settings) or VENDOR_URL)
    authorization = {"Authorization": f"Bearer {key}"} if key and not has_credentials(headers) else {}
    url = f"{address}/chat/completions" + (f"?{query}" if query else "")
    proxy = proxy_of(url)
    return LeanChat(
        model=served_name(settings),
        url=url,
        headers={name: SecretStr(value) for name, value in {**authorization, **headers}.items()},
        parameters={name: value for name, value in request_fields(settings).items() if value is not None},
        image_uuids=settings.image_uuids,
        max_reply_bytes=settings.max_reply_bytes,
        proxy=SecretStr(proxy) if proxy else None,
        cache=False,
        disable_streaming=True,
    )
