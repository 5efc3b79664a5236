"""A chat model for OpenAI-compatible servers that costs well under a millisecond a call.

It sends what langchain-openai's ChatOpenAI sends and reads from the reply what that reads, over aiohttp, without the
layers that a chat with text and images does not need: no request is built from typed objects, no image passes through
`json`, and no reply through pydantic twice. Proxies (see `blpo.models.proxies`) and certificates (SSL_CERT_FILE) of the
environment are honoured.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import certifi
from aiohttp.abc import AbstractStreamWriter
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelConnectionError
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr, SecretStr

from blpo.models.chat_reply import ServerError, answer_in
from blpo.models.direct_chat import DirectChat
from blpo.models.image_names import ImageNames
from blpo.models.request_body import body_pieces
from blpo.models.traffic import count

_KEPT_ALIVE = 4.0
"""Seconds; below the 5 after which uvicorn, and so vLLM, closes an idle connection."""
_SLICE = 262_144
"""Bytes written at once; pieces that are no more together are joined."""


class LostConnectionError(ModelConnectionError):
    """The server could not be reached, or went away before its answer was complete."""


class LeanChat(DirectChat):
    """A model of one server; it belongs to the event loop that uses it first. Close it with `aclose`."""

    model: str
    url: str
    """Of the chat-completions endpoint, query included."""
    headers: dict[str, SecretStr]
    parameters: dict[str, Any]
    """Fields of every request beside model and messages."""
    image_uuids: bool = False
    proxy: SecretStr | None = None
    """Address of the HTTP proxy that leads to the server; None: straight there."""
    _session: aiohttp.ClientSession | None = PrivateAttr(default=None)
    _names: ImageNames | None = PrivateAttr(default=None)
    """None: images go without names."""
    _plain_headers: dict[str, str] = PrivateAttr(default_factory=dict)
    """Sent with each request: what aiohttp knows as the session's own it would send to a proxy too."""

    def model_post_init(self, context: Any) -> None:
        """Prepare what all requests share."""
        super().model_post_init(context)
        self._names = ImageNames() if self.image_uuids else None
        self._plain_headers = {name: value.get_secret_value() for name, value in self.headers.items()}

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    async def reply(
        self, messages: Sequence[BaseMessage], *, extra_body: Mapping[str, Any] | None = None, **fields: Any
    ) -> AIMessage:
        """What `ainvoke` returns, without LangChain's callbacks; all arguments are fields of the request."""
        fields = {"stream": False, **self.parameters, **fields, **(extra_body or {})}
        if self._names is None:
            return answer_in(await self._post(messages, fields), self.model)
        return answer_in(await self._post_named(self._names, messages, fields), self.model)

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
        """LangChain's synchronous door: a connection of its own for each call."""
        once = self.model_copy()

        async def ask() -> ChatResult:
            once._session = None
            try:
                return await once._agenerate(messages, stop, **kwargs)
            finally:
                await once.aclose()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, ask()).result()

    async def aclose(self) -> None:
        """Close all connections; closing twice does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post_named(self, names: ImageNames, messages: Sequence[BaseMessage], fields: Mapping[str, Any]) -> bytes:
        """Post with images by their names; a server that turns out to know no names is sent none from then on."""
        named = names.short(messages)
        try:
            reply = await self._post(named, fields)
        except ServerError as error:
            if error.status_code not in (400, 422) or all(a is b for a, b in zip(named, messages, strict=True)):
                raise
            if "cache miss" in str(error).lower():  # the server dropped an image, or another one answers
                names.forget()
                reply = await self._post(names.full(messages), fields)
            else:
                reply = await self._post(messages, fields)
                self._names = None  # so it was the names
                return reply
        names.learn(messages)
        return reply

    async def _post(self, messages: Sequence[BaseMessage], fields: Mapping[str, Any]) -> bytes:
        body = _Pieces(body_pieces(self.model, messages, fields))
        if self._session is None:
            self._session = self._new_session()
        count(sent=body.size or 0)
        try:
            request = self._session.post(self.url, data=body, headers=self._plain_headers, allow_redirects=False)
            async with request as response:
                reply = await response.read()
        except aiohttp.ClientHttpProxyError as error:
            told = json.dumps({"message": f"the proxy does not connect ({error.message})"})
            raise ServerError(error.status, told.encode(), error.headers or {}) from error
        except aiohttp.ClientError as error:
            raise LostConnectionError(f"Connection error: {error}") from error
        count(received=len(reply))
        if response.status >= 300:
            raise ServerError(response.status, reply, response.headers)
        return reply

    def _new_session(self) -> aiohttp.ClientSession:
        encrypted = self.url.startswith("https:")
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, ssl=_trusted() if encrypted else True, keepalive_timeout=_KEPT_ALIVE
            ),
            proxy=self.proxy.get_secret_value() if self.proxy else None,
            timeout=aiohttp.ClientTimeout(total=None),  # the caller's, which covers the whole call
            cookie_jar=aiohttp.DummyCookieJar(),
        )


class _Pieces(aiohttp.Payload):
    """A JSON body in ASCII pieces; long ones go slice by slice as the server takes them, and are never copied whole."""

    def __init__(self, pieces: list[str]) -> None:
        super().__init__(pieces, content_type="application/json")
        self._size = sum(map(len, pieces))
        if self._size <= _SLICE:
            self._value = ["".join(pieces)]

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return "".join(self._value)

    async def write(self, writer: AbstractStreamWriter) -> None:
        for piece in self._value:
            for start in range(0, len(piece), _SLICE):
                await writer.write(piece[start : start + _SLICE].encode("ascii"))


def _trusted() -> ssl.SSLContext:
    """The certificates of the system or SSL_CERT_FILE, and certifi's; takes a tenth of a second."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
