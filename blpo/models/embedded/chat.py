"""Base of the embedded models: reading of chat messages, and answers in the form of a chat model.

An embedded model sees the text parts and images of the messages, like any other model, and nothing else.
"""

import asyncio
import math
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from blpo.models.embedded.message_images import images, parts
from blpo.models.embedded.perception import is_perceived
from blpo.models.untraced_chat import UntracedChat

_SAMPLE_TEXT = re.compile(r"\s*<(text|first|second|reference)>.*</\1>\s*", re.DOTALL)
_RULE = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_CHARACTERS_PER_TOKEN = 4


class EmbeddedChat(UntracedChat):
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
        return ChatResult(generations=[ChatGeneration(message=self._message(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=await self.reply(messages))])

    async def reply(self, messages: Sequence[BaseMessage], **arguments: Any) -> AIMessage:
        """Return the answer of `ainvoke`, without LangChain's callbacks."""
        if all(is_perceived(image) for image in images(messages)):
            return self._message(messages)
        return await asyncio.to_thread(self._message, messages)  # measuring an image would block the event loop

    def _message(self, messages: Sequence[BaseMessage]) -> AIMessage:
        return reply(self.answer(messages), messages, self.model_name)


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


def reply(text: str, messages: Sequence[BaseMessage], model_name: str) -> AIMessage:
    """Return `text` as the answer of a chat model, with the tokens of answer and messages."""
    input_tokens = _text_tokens(texts(messages)) + sum(image.tokens for image in images(messages))
    output_tokens = _text_tokens(text)
    return AIMessage(
        content=text,
        usage_metadata=UsageMetadata(
            input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=input_tokens + output_tokens
        ),
        response_metadata={"finish_reason": "stop", "model_name": model_name},
    )


def _text_parts(messages: Sequence[BaseMessage]) -> Iterator[str]:
    for part in parts(messages):
        text = part if isinstance(part, str) else part.get("text") if part.get("type") == "text" else None
        if isinstance(text, str):
            yield text


def _text_tokens(text: str) -> int:
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)
