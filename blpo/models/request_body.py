"""The JSON of a chat-completions request, with images spliced in.

An image's base64 makes up nearly all of a request. It needs no escaping, so `json` never sees it (where it comes as a
`DataUrl`; any other URL is text like any text): that sees a short marker in its place, and the image goes between the
pieces as it is, without a copy of it.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from state.sample import DataUrl

_MARKER = f"image-{secrets.token_hex(16)}"
"""Drawn anew in each process, so that no text holds it."""
_ROLES = {"human": "user", "ai": "assistant", "system": "system"}
_CALLED_DEVELOPER = re.compile(r"o\d")
"""Models to which the author `system` is `developer`."""


def body_pieces(model: str, messages: Sequence[BaseMessage], fields: Mapping[str, Any]) -> list[str]:
    """The request's body in ASCII pieces, to be sent one after the other; raises `ValueError` for an unknown author."""
    images: list[str] = []
    written = [_written(message, model, images) for message in messages]
    text = json.dumps({"model": model, "messages": written, **fields}, separators=(",", ":"))
    rest = text.split(_MARKER)
    pieces = [rest[0]]
    for image, after in zip(images, rest[1:], strict=True):
        pieces += [image, after]
    return pieces


def _written(message: BaseMessage, model: str, images: list[str]) -> dict[str, Any]:
    role = _ROLES.get(message.type)
    if role is None:
        raise ValueError(f"a message of type {message.type} can't be sent; known are {', '.join(_ROLES)}")
    if role == "system" and _CALLED_DEVELOPER.match(model):
        role = "developer"
    if isinstance(message.content, str):
        return {"role": role, "content": message.content}
    return {"role": role, "content": [_part(part, images) for part in message.content]}


def _part(part: Any, images: list[str]) -> Any:
    """A part as it is, or with a marker where its image was, which goes to `images`."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    shown = part.get("image_url") if part.get("type") == "image_url" else None
    if not isinstance(shown, dict):
        return part
    url = shown.get("url")
    if not isinstance(url, DataUrl):
        return part
    images.append(url)
    return {**part, "image_url": {**shown, "url": _MARKER}}
