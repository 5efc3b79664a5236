"""vLLM's names for images: one that the server holds in its cache is sent by its name alone.

A name must be the content's hash: under a known name the server reuses the old image in silence, whatever is sent. The
cache belongs to one server process, so none of this is safe behind a load balancer. Where the server has dropped an
image it says so with a 400, and everything is sent in full again.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage


class ImageNames:
    """The images that a server has been sent in full."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    def full(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The messages with each image under its name."""
        return [_renamed(message, lambda part: {**part, "uuid": _name(part)}) for message in messages]

    def short(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The same, with images that the server holds by their names alone."""

        def named(part: dict[str, Any]) -> dict[str, Any]:
            name = _name(part)
            return {**part, "uuid": name, **({"image_url": None} if name in self._held else {})}

        return [_renamed(message, named) for message in messages]

    def learn(self, messages: Sequence[BaseMessage]) -> None:
        """The server has answered to these messages, so it holds their images."""
        for message in messages:
            if not isinstance(message.content, str):
                self._held.update(_name(part) for part in message.content if _is_image(part))

    def forget(self) -> None:
        """The server may hold nothing any more."""
        self._held.clear()


def _renamed(message: BaseMessage, change: Callable[[dict[str, Any]], dict[str, Any]]) -> BaseMessage:
    if isinstance(message.content, str):
        return message
    parts = [change(part) if _is_image(part) else part for part in message.content]  # type: ignore[arg-type] # a dict
    return message.model_copy(update={"content": parts})


def _is_image(part: str | dict[str, Any]) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def _name(part: Any) -> str:
    """SHA-256 (hex) of the image's data URL."""
    return hashlib.sha256(str(part["image_url"]["url"]).encode()).hexdigest()
