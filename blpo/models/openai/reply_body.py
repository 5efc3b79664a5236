"""Bodies of replies, read with a limit on the decoded bytes.

A server may send without end, or a compressed body of many gigabytes. Larger bodies reserve their bytes first, from one
bound for all replies in flight, so memory stays bounded whatever the number of calls.
"""

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing

from blpo.models.openai.reply_memory import reserved_bytes

ACCEPTED_ENCODINGS = "gzip, deflate"
"""Header `Accept-Encoding` of a request. A body in any other encoding is refused."""
SMALL = 262_144
"""Bytes of a body that are read without a reservation."""
_MOST_GROWTH = 200
"""Decoded bytes for a byte as sent. Text of a model grows 3- to 20-fold, a compression bomb about 1000-fold."""
_GROWTH_FROM = 1_048_576
"""Decoded bytes from which the growth counts."""
_PIECE = 65_536
"""Bytes that are decoded at once."""
_BYTES_A_VALUE = 8
"""Fewest bytes for a JSON value of a large body; log-probabilities have more. A parsed value takes up to 200 bytes."""


class UnreadableBodyError(ValueError):
    """The body is too large, or can't be decoded."""


async def read_body(chunks: AsyncIterator[bytes], headers: Mapping[str, str], limit: int) -> bytes:
    """Return the decoded body, at most `limit` bytes; raises `UnreadableBodyError`.

    `chunks` are the bytes as sent; `headers` have names in any case.
    """
    decoder = _decoder(headers.get("content-encoding", ""))
    declared = limit if decoder is not None else _declared_bytes(headers, limit)
    pieces: list[bytes] = []
    size = 0
    async with aclosing(_pieces(chunks, decoder, limit)) as stream:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size > SMALL:
                break
        else:
            return _whole(pieces, decoder)
        async with reserved_bytes(declared, limit):
            pieces += [piece async for piece in stream]
            body = _whole(pieces, decoder)
    _require_few_values(body, limit)
    return body


def is_small(headers: Mapping[str, str], declared: int | None, limit: int) -> bool:
    """Return true for a body that a client may read as a whole: plain, and of a small declared length."""
    return declared is not None and declared <= min(SMALL, limit) and "content-encoding" not in headers


def error_body(error: UnreadableBodyError) -> bytes:
    """Return a body in place of an unreadable body of an error reply; the status of the reply still counts."""
    return json.dumps({"message": f"the reply can't be read: {error}"}).encode()


class _Decoder:
    """Decoder of gzip or deflate, in pieces of bounded size. Bytes after the end are ignored."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._inflate = zlib.decompressobj(31) if encoding == "gzip" else None

    @property
    def is_complete(self) -> bool:
        """True if the end of the compressed data has come."""
        return self._inflate is not None and self._inflate.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of the next `data`."""
        if self._inflate is None:
            if not data:
                return
            is_raw = data[0] & 0x0F != 8  # without the header of zlib
            self._inflate = zlib.decompressobj(-15 if is_raw else 15)
        try:
            while data and not self._inflate.eof:
                yield self._inflate.decompress(data, _PIECE)
                data = self._inflate.unconsumed_tail
        except zlib.error as error:
            raise UnreadableBodyError(f"its {self._encoding} encoding is broken ({error})") from None


async def _pieces(chunks: AsyncIterator[bytes], decoder: _Decoder | None, limit: int) -> AsyncGenerator[bytes]:
    """Yield the decoded body; raises `UnreadableBodyError` when the body, as sent or decoded, exceeds the limit."""
    size = received = 0
    async for chunk in chunks:
        received += len(chunk)
        for piece in (chunk,) if decoder is None else decoder.pieces(chunk):
            size += len(piece)
            _require(max(size, received), limit)
            if size > max(_GROWTH_FROM, received * _MOST_GROWTH):
                raise UnreadableBodyError(f"decoding makes it more than {_MOST_GROWTH} times larger")
            yield piece


def _decoder(encoding: str) -> _Decoder | None:
    name = encoding.strip().lower().removeprefix("x-")
    if name in ("", "identity"):
        return None
    if name not in ("gzip", "deflate"):
        raise UnreadableBodyError(f"its encoding {name[:40]!r} is not read; accepted are {ACCEPTED_ENCODINGS}")
    return _Decoder(name)


def _declared_bytes(headers: Mapping[str, str], limit: int) -> int:
    """Return the declared length of the body; without one, the limit. Raises `UnreadableBodyError`."""
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):
        return limit
    _require(int(length[:20]), limit)
    return int(length)


def _require(size: int, limit: int) -> None:
    if size > limit:
        raise UnreadableBodyError(f"it is larger than max_reply_bytes ({limit})")


def _whole(pieces: list[bytes], decoder: _Decoder | None) -> bytes:
    if decoder is not None and pieces and not decoder.is_complete:
        raise UnreadableBodyError("its compressed body is cut off")
    return b"".join(pieces)


def _require_few_values(body: bytes, limit: int) -> None:
    """Raise `UnreadableBodyError` if `body` as JSON has so many values that parsing would fill the memory."""
    most = limit // _BYTES_A_VALUE
    if _signs(body) <= most:
        return
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    strings = unescaped.count(b'"') // 2
    if strings > most or _signs(b"".join(unescaped.split(b'"')[::2])) > most:
        raise UnreadableBodyError(f"it has more than {most} values")


def _signs(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")
