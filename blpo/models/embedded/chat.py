"""Base of the embedded models: reading of chat messages, and answers in the form of a chat model.

An embedded model sees the text parts and images of the messages, like any other model, and nothing else.
"""

import asyncio
import base64
import binascii
import math
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from PIL import Image

_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
_SAMPLE_TEXT = re.compile(r"\s*<text>.*</text>\s*", re.DOTALL)
_RULE = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_CHARACTERS_PER_TOKEN = 4
_PIXELS_PER_TOKEN = 784
_MAX_IMAGE_TOKENS = 1536


class EmbeddedChat(BaseChatModel):
    """Chat model that runs in this process. The same messages get the same answer; the model has no memory."""

    model_name: str
    """Name and version in responses."""

    @abstractmethod
    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Return the text of the answer. Must not raise for any messages."""

    @property
    def _llm_type(self) -> str:
        return self.model_name

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return reply(self.answer(messages), messages, self.model_name)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await asyncio.to_thread(self._generate, messages)  # measuring an image would block the event loop


def texts(messages: Sequence[BaseMessage]) -> str:
    """Return all text of the messages. Parts are joined by an empty line."""
    return "\n\n".join(_text_parts(messages))


def prompt_and_frame(messages: Sequence[BaseMessage]) -> tuple[str, str]:
    """Return the prompt and the fixed frame: the texts before and after the first line `---`.

    The line is searched in the user's messages, in the last text part with such a line. The text of a sample is a part
    between tags, and belongs neither to the prompt nor to the frame. Without such a line all text is the prompt.
    """
    user_messages = [message for message in messages if isinstance(message, HumanMessage)]
    for part in reversed(list(_text_parts(user_messages))):
        if (rule := _RULE.search(part)) is not None and _SAMPLE_TEXT.fullmatch(part) is None:
            return part[: rule.start()].strip(), part[rule.end() :].strip()
    return texts(messages).strip(), ""


def images(messages: Sequence[BaseMessage]) -> list[bytes]:
    """Return the encoded bytes of all images, in order. Parts without a base64 data URL of an image are left out."""
    return [data for part in _parts(messages) if (data := _image_data(part)) is not None]


def reply(text: str, messages: Sequence[BaseMessage], model_name: str) -> ChatResult:
    """Return `text` as the answer of a chat model, with the tokens of answer and messages."""
    input_tokens = _text_tokens(texts(messages)) + sum(_image_tokens(data) for data in images(messages))
    output_tokens = _text_tokens(text)
    message = AIMessage(
        content=text,
        usage_metadata=UsageMetadata(
            input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=input_tokens + output_tokens
        ),
        response_metadata={"finish_reason": "stop", "model_name": model_name},
    )
    return ChatResult(generations=[ChatGeneration(message=message)])


def _parts(messages: Sequence[BaseMessage]) -> Iterator[str | dict[str, Any]]:
    for message in messages:
        yield from [message.content] if isinstance(message.content, str) else message.content


def _text_parts(messages: Sequence[BaseMessage]) -> Iterator[str]:
    for part in _parts(messages):
        text = part if isinstance(part, str) else part.get("text") if part.get("type") == "text" else None
        if isinstance(text, str):
            yield text


def _image_data(part: str | dict[str, Any]) -> bytes | None:
    image = part.get("image_url") if isinstance(part, dict) and part.get("type") == "image_url" else None
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or (head := _DATA_URL.match(url)) is None:
        return None
    try:
        return base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None


def _text_tokens(text: str) -> int:
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def _image_tokens(data: bytes) -> int:
    try:
        with Image.open(BytesIO(data)) as image:  # reads the header only
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0
    return min(math.ceil(width * height / _PIXELS_PER_TOKEN), _MAX_IMAGE_TOKENS)
