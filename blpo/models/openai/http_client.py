"""HTTP client of LangChain's chat models: counts bytes, bounds replies, follows no redirect."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from openai import DefaultAsyncHttpxClient

from blpo.models.byte_counts import count_bytes
from blpo.models.openai.interim_replies import BoundedBackend, InterimRepliesError
from blpo.models.openai.reply_body import ACCEPTED_ENCODINGS, UnreadableBodyError, error_body, read_body

_ENVELOPE = ("content-encoding", "content-length", "transfer-encoding")
"""Headers about the body as sent."""


class BoundedHttpClient(DefaultAsyncHttpxClient):
    """HTTP client with a limit on the decoded bytes of a reply. A redirect would take keys and images elsewhere.

    A client belongs to a single event loop; ChatOpenAI's default client is shared by all models. `reduce` makes the
    body of a good reply smaller, and raises `UnreadableBodyError`.
    """

    def __init__(
        self, timeout: float, max_reply_bytes: int, reduce: Callable[[bytes], bytes] = bytes, **options: Any
    ) -> None:
        accepted = {"Accept-Encoding": ACCEPTED_ENCODINGS}
        super().__init__(timeout=timeout, follow_redirects=False, headers=accepted, **options)
        for transport in (self._transport, *self._mounts.values()):
            pool = getattr(transport, "_pool", None)  # None: an address without a transport of its own
            if pool is not None:
                pool._network_backend = BoundedBackend(pool._network_backend)
        self._max_reply_bytes = max_reply_bytes
        self._reduce = reduce

    async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Return the reply with its whole body, also for a stream."""
        count_bytes(outgoing=len(request.content))
        try:
            response = await super().send(request, stream=True, **options)
        except InterimRepliesError as error:
            response_type = import_module(type(request).__module__).Response  # httpx, or the successor of openai
            return response_type(200, json=str(error), request=request)  # no completion, as below
        size = 0
        try:
            body = await read_body(response.aiter_raw(), response.headers, self._max_reply_bytes)
            size = len(body)
            body = self._reduce(body) if response.status_code < 300 else body
        except UnreadableBodyError as error:
            # A JSON text is no completion, so the chat model raises the text as the fault of the reply.
            body = error_body(error) if response.status_code >= 300 else json.dumps(str(error)).encode()
            response.headers["content-type"] = "application/json"
        finally:
            await response.aclose()
        count_bytes(incoming=size)
        headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _ENVELOPE]
        return type(response)(
            response.status_code, headers=headers, content=body, request=request, extensions=response.extensions
        )
