"""Chat models that can be asked without LangChain's callbacks, which cost more than a lean call does."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

# The tracers, because whether anybody listens is asked at each call: the first would hold up all others by an import.
import langchain_core.tracers.context
import langchain_core.tracers.stdout  # noqa: F401
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage


class DirectChat(BaseChatModel):
    """A chat model with a second door."""

    @abstractmethod
    async def reply(self, messages: Sequence[BaseMessage], **arguments: Any) -> AIMessage:
        """Exactly what `ainvoke` returns and raises, with no callback called."""
