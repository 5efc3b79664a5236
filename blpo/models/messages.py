"""Chat messages of text and images, independent of any provider.

In a request's key the SHA-256 of the bytes sent stands for an image. So the key of a request with a 1 MB image is
computed from 64 characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from state.sample import EncodedImage

Role = str
"""`judge`, `verbalizer` or `optimizer`; of a panel's members `judges.0`, `judges.1` ..."""
ROLES: tuple[Role, ...] = ("judge", "verbalizer", "optimizer")
"""Roles that count calls. All members of a panel count as the judge."""

Part = str | EncodedImage
"""A piece of a message: text, or an image."""


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message; parts are sent in order."""

    author: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]

    def canonical(self) -> dict[str, Any]:
        """Return the message with hashes in place of images; a request's key is computed from this form."""
        return {
            "author": self.author,
            "parts": [p if isinstance(p, str) else {"image": p.sha256, "media_type": p.media_type} for p in self.parts],
        }


def user(*parts: Part) -> Message:
    """Return a user message."""
    return Message("user", parts)


def assistant(text: str) -> Message:
    """Return an assistant message: an earlier reply."""
    return Message("assistant", (text,))


def to_langchain(messages: Sequence[Message]) -> list[BaseMessage]:
    """Return the messages for a LangChain chat model; images become OpenAI-style `image_url` data URLs."""
    return [_to_langchain(message) for message in messages]


def _to_langchain(message: Message) -> BaseMessage:
    content: Any
    if len(message.parts) == 1 and isinstance(message.parts[0], str):
        content = message.parts[0]
    else:
        content = [
            {"type": "text", "text": part}
            if isinstance(part, str)
            else {"type": "image_url", "image_url": {"url": part.data_url}}
            for part in message.parts
        ]
    kind = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}[message.author]
    langchain_message: BaseMessage = kind(content=content)
    return langchain_message
