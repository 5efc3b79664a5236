"""Chat model of OpenAI-compatible servers, at well under a millisecond of CPU a call.

The lean client sends the requests of langchain-openai's ChatOpenAI and reads replies as ChatOpenAI does, over aiohttp.
Layers that a chat with text and images does not need are left out: no request is built from typed objects, no image
passes through `json`, and no reply passes through pydantic twice. Proxies (see `blpo.models.openai.proxy`) and
certificates (SSL_CERT_FILE) of the environment are honoured.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelConnectionError
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr, SecretStr

from blpo.models.byte_counts import count_bytes
from blpo.models.openai.certificates import trusted_certificates
from blpo.models.openai.completion import ServerError, completion_message
from blpo.models.openai.image_uuids import ImageUuids
from blpo.models.openai.interim_replies import BoundedConnector
from blpo.models.openai.reply_body import (
    ACCEPTED_ENCODINGS,
    UnreadableBodyError,
    error_body,
    is_small,
    read_body,
)
from blpo.models.openai.request_body import JsonPieces, body_pieces
from blpo.models.untraced_chat import UntracedChat

_IDLE_SECONDS = 4.0
"""Time that an idle connection stays open; below the 5 seconds after which uvicorn, and so vLLM, closes one."""


class LostConnectionError(ModelConnectionError):
    """The server could not be reached, or closed the connection before the answer was complete."""


class LeanChat(UntracedChat):
    """Model of a server. Belongs to the event loop of the first call; close with `aclose`."""

    model: str
    url: str
    """Address of the chat-completions endpoint, with the query."""
    headers: dict[str, SecretStr]
    parameters: dict[str, Any]
    """Fields of every request beside model and messages."""
    image_uuids: bool = False
    """True to send images by name (see `blpo.models.openai.image_uuids`)."""
    proxy: SecretStr | None = None
    """Address of the HTTP proxy to the server; None: no proxy."""
    max_reply_bytes: int
    """Most decoded bytes of a reply."""
    _session: aiohttp.ClientSession | None = PrivateAttr(default=None)
    _uuids: ImageUuids | None = PrivateAttr(default=None)
    """None: images are sent without names."""
    _plain_headers: dict[str, str] = PrivateAttr(default_factory=dict)
    """Headers of each request; headers of aiohttp's session would go to a proxy too."""

    def model_post_init(self, context: Any) -> None:
        """Prepare values shared by all requests."""
        super().model_post_init(context)
        self._uuids = ImageUuids() if self.image_uuids else None
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        self._plain_headers = {"Accept-Encoding": ACCEPTED_ENCODINGS, **headers}

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    async def reply(
        self, messages: Sequence[BaseMessage], *, extra_body: Mapping[str, Any] | None = None, **fields: Any
    ) -> AIMessage:
        """Return the reply as `ainvoke` does, without LangChain's callbacks; `fields` are fields of the request."""
        fields = {"stream": False, **self.parameters, **fields, **(extra_body or {})}
        if self._uuids is None:
            body = await self._post(messages, fields)
        else:
            body = await self._post_by_uuid(self._uuids, messages, fields)
        return completion_message(body, self.model)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = await self.reply(messages, **{**kwargs, **({"stop": stop} if stop else {})})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Answer LangChain's synchronous calls, every call over a new connection."""
        copy = self.model_copy()

        async def answer_once() -> ChatResult:
            copy._session = None
            try:
                return await copy._agenerate(messages, stop, **kwargs)
            finally:
                await copy.aclose()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, answer_once()).result()

    async def aclose(self) -> None:
        """Close all connections; closing twice does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post_by_uuid(
        self, uuids: ImageUuids, messages: Sequence[BaseMessage], fields: Mapping[str, Any]
    ) -> bytes:
        """Post images by name. A server without support for names gets no names from then on."""
        short = uuids.short(messages)
        try:
            reply = await self._post(short, fields)
        except ServerError as error:
            if error.status_code not in (400, 422) or all(a is b for a, b in zip(short, messages, strict=True)):
                raise
            if "cache miss" not in str(error).lower():
                reply = await self._post(messages, fields)
                self._uuids = None  # without names the server answers, so the names were the fault
                return reply
            uuids.forget()  # the server dropped an image, or a second server answers
            reply = await self._post(uuids.full(messages), fields)
        uuids.learn(messages)
        return reply

    async def _post(self, messages: Sequence[BaseMessage], fields: Mapping[str, Any]) -> bytes:
        """Return the body of the reply; raises `ServerError` for an error reply and `LostConnectionError`."""
        body = JsonPieces(body_pieces(self.model, messages, fields))
        if self._session is None:
            self._session = self._new_session()
        count_bytes(outgoing=body.size or 0)
        try:
            request = self._session.post(self.url, data=body, headers=self._plain_headers, allow_redirects=False)
            async with request as response:
                reply = await self._body(response)
        except aiohttp.ClientHttpProxyError as error:
            message = json.dumps({"message": f"the proxy does not connect ({error.message})"})
            raise ServerError(error.status, message.encode(), error.headers or {}) from error
        except aiohttp.ClientError as error:
            raise LostConnectionError(f"Connection error: {error}") from error
        count_bytes(incoming=len(reply))
        if response.status >= 300:
            raise ServerError(response.status, reply, response.headers)
        return reply

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        if is_small(response.headers, response.content_length, self.max_reply_bytes):
            return await response.read()
        try:
            return await read_body(response.content.iter_any(), response.headers, self.max_reply_bytes)
        except UnreadableBodyError as error:
            if response.status < 300:
                raise
            return error_body(error)

    def _new_session(self) -> aiohttp.ClientSession:
        encrypted = self.url.startswith("https:")
        return aiohttp.ClientSession(
            connector=BoundedConnector(
                limit=0, ssl=trusted_certificates() if encrypted else True, keepalive_timeout=_IDLE_SECONDS
            ),
            proxy=self.proxy.get_secret_value() if self.proxy else None,
            timeout=aiohttp.ClientTimeout(total=None),  # the caller's timeout covers the whole call
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # aiohttp decodes without a limit
        )
