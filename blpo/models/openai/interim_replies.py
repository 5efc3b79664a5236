"""Bound on interim replies (status 1xx) before the reply to a request.

A server may send interim replies without end. Clients skip all of them, in one piece of work for everything that has
arrived, so with many calls in flight the event loop would find no time for the timeouts.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

_MOST = 20
"""Interim replies to a request; an honest server sends one or two."""
_LONGEST_HEAD = 65_536
"""Bytes of one interim reply. The clients have bounds of their own for the head of a reply."""
_INTERIM = re.compile(rb"HTTP/\d\.\d 1\d\d")
_SHORTEST = len(b"HTTP/1.1 100")


class InterimRepliesError(ValueError):
    """More interim replies than any honest server sends."""


class InterimReplies:
    """Counter of the interim replies to a request."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count from 0 for the next request of a connection."""
        self._count = 0
        self._head: bytes | None = b""
        """Bytes of an incomplete head; None when the reply itself has begun."""

    def note(self, data: bytes) -> None:
        """Count in the next bytes of the server; raises `InterimRepliesError`."""
        if self._head is None:
            return
        head = self._head + data
        while _INTERIM.match(head):
            before, end, rest = head.partition(b"\r\n\r\n")
            if not end and len(before) < _LONGEST_HEAD:
                break
            head, self._count = rest, self._count + 1
            if self._count > _MOST or not end:
                raise InterimRepliesError(f"it follows more than {_MOST} interim replies")
        is_interim = _INTERIM.match(head) is not None or len(head) < _SHORTEST
        self._head = head if is_interim else None


class BoundedConnector(aiohttp.TCPConnector):
    """Connector of aiohttp with a bound on interim replies."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        factory: Callable[..., ResponseHandler] = _BoundedHandler
        self._factory = partial(factory, loop=self._loop)


class _BoundedHandler(ResponseHandler):
    """Reader of the replies of a connection."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self._interim = InterimReplies()

    def set_response_params(self, **options: Any) -> None:
        """Prepare for the reply to the next request."""
        self._interim.begin()
        super().set_response_params(**options)

    def data_received(self, data: bytes) -> None:
        """Read the next bytes; after too many interim replies the connection ends."""
        try:
            self._interim.note(data)
        except InterimRepliesError as error:
            self.set_exception(error)
            if self.transport is not None:
                self.transport.abort()
        else:
            super().data_received(data)


class BoundedBackend:
    """Network of an httpx client (an `AsyncNetworkBackend` of httpcore) with a bound on interim replies."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def connect_tcp(self, *arguments: Any, **options: Any) -> "_BoundedStream":
        """Open a connection."""
        return _BoundedStream(await self._backend.connect_tcp(*arguments, **options))

    async def connect_unix_socket(self, *arguments: Any, **options: Any) -> "_BoundedStream":
        """Open a connection to a socket of this machine."""
        return _BoundedStream(await self._backend.connect_unix_socket(*arguments, **options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


class _BoundedStream:
    """Connection that counts the interim replies since the last bytes sent."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._interim = InterimReplies()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes; raises `InterimRepliesError`."""
        data: bytes = await self._stream.read(max_bytes, timeout)
        self._interim.note(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes of a request."""
        self._interim.begin()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(self, *arguments: Any, **options: Any) -> "_BoundedStream":
        """Return the connection with encryption."""
        return _BoundedStream(await self._stream.start_tls(*arguments, **options))

    def get_extra_info(self, info: str) -> Any:
        """Return facts about the connection."""
        return self._stream.get_extra_info(info)
