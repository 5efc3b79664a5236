"""Names (`uuid`) of images in vLLM's cache: a cached image is sent by name alone.

A name must be the hash of the content: for a known name the server silently reuses the cached image, even if
a different image is sent. The cache belongs to a single server process, so names are not safe behind a load balancer.
For a dropped image the server answers 400, and then all images are sent in full again.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage


class ImageUuids:
    """Names of the images believed to be in the server's cache."""

    def __init__(self) -> None:
        self._cached: set[str] = set()

    def full(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """Return the messages with a name beside every image."""
        return [_with_images(message, lambda part: {**part, "uuid": _name(part)}) for message in messages]

    def short(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """Return the messages with names for images; a cached image is left out."""

        def named(part: dict[str, Any]) -> dict[str, Any]:
            name = _name(part)
            return {**part, "uuid": name, **({"image_url": None} if name in self._cached else {})}

        return [_with_images(message, named) for message in messages]

    def learn(self, messages: Sequence[BaseMessage]) -> None:
        """Note an answer to the messages: the server now holds the images."""
        for message in messages:
            if not isinstance(message.content, str):
                self._cached.update(_name(part) for part in message.content if _is_image(part))

    def forget(self) -> None:
        """Note a loss of the server's cache."""
        self._cached.clear()


def _with_images(message: BaseMessage, change: Callable[[dict[str, Any]], dict[str, Any]]) -> BaseMessage:
    """Return the message with changed image parts."""
    if isinstance(message.content, str):
        return message
    parts = [change(part) if _is_image(part) else part for part in message.content]  # type: ignore[arg-type] # a dict
    return message.model_copy(update={"content": parts})


def _is_image(part: str | dict[str, Any]) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def _name(part: Any) -> str:
    """Return the SHA-256 (hex) of the image's data URL."""
    return hashlib.sha256(str(part["image_url"]["url"]).encode()).hexdigest()
