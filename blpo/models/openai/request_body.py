"""JSON body of a chat-completions request, with images spliced in.

The base64 of an image is nearly all of a request, and needs no escaping. So `json` encodes a short marker in place of
the image, and the image goes between the pieces of JSON without being copied. Only a `DataUrl` is
spliced in; any other URL is text like any text.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from langchain_core.messages import BaseMessage

from state.sample import DataUrl

_MARKER = f"image-{secrets.token_hex(16)}"
"""Marker of an image; random in every process, so no text holds the marker."""
_ROLES = {"human": "user", "ai": "assistant", "system": "system"}
_CALLED_DEVELOPER = re.compile(r"o\d")
"""Start of the names of models that expect the role `developer` in place of `system`; ChatOpenAI's rule too."""
_SLICE = 262_144
"""Bytes written at once. Shorter bodies are joined into one piece."""


class JsonPieces(aiohttp.Payload):
    """JSON body in ASCII pieces. Long pieces are written slice by slice, and never copied as a whole."""

    def __init__(self, pieces: list[str]) -> None:
        super().__init__(pieces, content_type="application/json")
        self._size = sum(map(len, pieces))
        if self._size <= _SLICE:
            self._value = ["".join(pieces)]

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text."""
        return "".join(self._value)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body."""
        for piece in self._value:
            for start in range(0, len(piece), _SLICE):
                await writer.write(piece[start : start + _SLICE].encode("ascii"))


def body_pieces(model: str, messages: Sequence[BaseMessage], fields: Mapping[str, Any]) -> list[str]:
    """Return the body in ASCII pieces, to be sent in order; raises `ValueError` for a message of an unknown type."""
    images: list[str] = []
    plain_messages = [_plain_message(message, model, images) for message in messages]
    text = json.dumps({"model": model, "messages": plain_messages, **fields}, separators=(",", ":"))
    first, *rest = text.split(_MARKER)
    pieces = [first]
    for image, text_after in zip(images, rest, strict=True):
        pieces += [image, text_after]
    return pieces


def _plain_message(message: BaseMessage, model: str, images: list[str]) -> dict[str, Any]:
    """Return the message in OpenAI's form, a marker in place of every image; the images are added to `images`."""
    role = _ROLES.get(message.type)
    if role is None:
        raise ValueError(f"a message of type {message.type} can't be sent; known are {', '.join(_ROLES)}")
    if role == "system" and _CALLED_DEVELOPER.match(model):
        role = "developer"
    if isinstance(message.content, str):
        return {"role": role, "content": message.content}
    return {"role": role, "content": [_plain_part(part, images) for part in message.content]}


def _plain_part(part: Any, images: list[str]) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    image_url = part.get("image_url") if part.get("type") == "image_url" else None
    if not isinstance(image_url, dict):
        return part
    url = image_url.get("url")
    if not isinstance(url, DataUrl):
        return part
    images.append(url)
    return {**part, "image_url": {**image_url, "url": _MARKER}}
